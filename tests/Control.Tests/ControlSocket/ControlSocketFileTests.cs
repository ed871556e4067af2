using System.Diagnostics;
using System.Net.Sockets;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.ControlSocket;

public sealed class ControlSocketFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string SocketPath => _directory["run/c.sock"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Only_the_owner_may_use_the_socket_and_its_directory()
    {
        using ControlSocketFile file = ControlSocketFile.Listen(SocketPath);
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(SocketPath));
        Assert.Equal(ownerOnly, File.GetUnixFileMode(SocketPath + ".lock"));
        Assert.Equal(ownerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory["run"]));
    }

    [Fact]
    public void The_socket_goes_with_its_owner_and_can_be_taken_again()
    {
        for (int i = 0; i < 3; i++)
        {
            using (ControlSocketFile.Listen(SocketPath)) Assert.True(File.Exists(SocketPath));
            Assert.False(File.Exists(SocketPath));
        }
    }

    [Fact]
    public void A_second_daemon_is_refused_and_the_first_keeps_listening()
    {
        using ControlSocketFile first = ControlSocketFile.Listen(SocketPath);
        var e = Assert.Throws<ControlSocketException>(() => ControlSocketFile.Listen(SocketPath));
        Assert.Equal($"--socket: another daemon listens on {SocketPath}; stop it or give this one a --socket of its own", e.Message);
        Connect();

        // Also when somebody tidied the lock file away.
        File.Delete(SocketPath + ".lock");
        Assert.Throws<ControlSocketException>(() => ControlSocketFile.Listen(SocketPath));
        Connect();
    }

    [Fact]
    public async Task Of_many_daemons_that_start_at_once_one_wins()
    {
        int winners = 0;
        using var start = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        using var tried = new CountdownEvent(20);
        Task[] daemons = [.. Enumerable.Range(0, 20).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.Wait();
                try
                {
                    using ControlSocketFile file = ControlSocketFile.Listen(SocketPath);
                    Interlocked.Increment(ref winners);
                    tried.Signal();
                    end.Wait();
                }
                catch (ControlSocketException)
                {
                    tried.Signal();
                }
            },
            TaskCreationOptions.LongRunning))];
        start.Set();
        tried.Wait(TestContext.Current.CancellationToken);
        end.Set();
        await Task.WhenAll(daemons);
        Assert.Equal(1, winners);
    }

    [Fact]
    public void A_socket_left_by_a_killed_daemon_is_replaced()
    {
        Directory.CreateDirectory(_directory["run"]);
        // Closing a socket without unlinking its name leaves what kill -9 leaves; .NET unlinks, so another program must do it.
        using (Process python = Process.Start("python3", ["-c", $"import socket; socket.socket(socket.AF_UNIX).bind('{SocketPath}')"])) python.WaitForExit();
        Assert.True(File.Exists(SocketPath));
        Assert.Throws<SocketException>(Connect);

        using ControlSocketFile file = ControlSocketFile.Listen(SocketPath);
        Connect();
    }

    [Fact]
    public void Files_and_directories_in_the_way_are_left_alone()
    {
        string file = _directory.Write("file", "precious");
        Assert.Equal($"--socket: {file} is there and is no socket; expected a free path", Refusal(file));
        Assert.Equal("precious", File.ReadAllText(file));

        Directory.CreateDirectory(_directory["dir"]);
        Assert.EndsWith("is there and is no socket; expected a free path", Refusal(_directory["dir"]));

        using (Process mkfifo = Process.Start("mkfifo", [_directory["fifo"]])) mkfifo.WaitForExit();
        Assert.EndsWith("is there and is no socket; expected a free path", Refusal(_directory["fifo"]));
    }

    [Fact]
    public void Symbolic_links_are_not_followed()
    {
        string target = _directory.Write("target", "precious");
        File.CreateSymbolicLink(_directory["link"], target);
        Assert.Equal($"--socket: {_directory["link"]} is a symbolic link to {target}; expected a path that is none", Refusal(_directory["link"]));

        File.CreateSymbolicLink(_directory["c.lock"], _directory["made-by-link"]);
        Assert.Contains("c.lock is a symbolic link", Refusal(_directory["c"]));
        Assert.False(File.Exists(_directory["made-by-link"]));
        Assert.Equal("precious", File.ReadAllText(target));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345")]
    public void Paths_that_no_socket_can_have_are_refused(string path) =>
        Assert.StartsWith("--socket: expected a path of 1 to 107 bytes, not \"", Refusal(path));

    [Fact]
    public void A_directory_that_cannot_be_made_is_named() =>
        Assert.StartsWith("--socket: cannot listen on /proc/nothing/c.sock: ", Refusal("/proc/nothing/c.sock"));

    private static string Refusal(string path) => Assert.Throws<ControlSocketException>(() => ControlSocketFile.Listen(path)).Message;

    private void Connect()
    {
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(SocketPath));
    }
}
