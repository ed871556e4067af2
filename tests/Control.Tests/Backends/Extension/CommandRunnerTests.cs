using System.Diagnostics;
using FlannelFast.Control.Backends.Extension;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Extension;

/// <summary>Commands on the real host.</summary>
public sealed class CommandRunnerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ff-extension-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Each is a pipe of its own, so what is written to both at once comes in any order.</summary>
    [Fact]
    public void Both_streams_are_returned_trimmed()
    {
        Assert.Equal("out", Run(Script("echo; echo out; echo")));
        Assert.Equal("err", Run(Script("(echo; echo err; echo) >&2")));
        Assert.Equal(["err", "out"], Run(Script("echo out; echo err >&2")).Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Input_and_environment_are_data()
    {
        string script = Script("cat; echo \"[$SUBNET]\"; echo \"$#:$1\"");
        string hostile = "$(touch pwned); `id` \"' ; rm -rf x";
        Assert.Equal($"{hostile}\n[{hostile}]\n1:{hostile}", Run($"{script} $SUBNET", hostile, new() { ["SUBNET"] = hostile }));
    }

    [Fact]
    public void A_program_is_found_in_PATH_and_nowhere_else()
    {
        Assert.Equal("x", Run("echo x"));
        string own = Path.GetFileName(Script("echo wrong"));
        string before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = _directory;
        try
        {
            Assert.Equal($"SubnetAddCommand: there is no program {own} in PATH", Refused(own));
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    [Theory]
    [InlineData("echo one; echo two; exit 3", "ended with code 3: ", ": it printed: one / two")]
    [InlineData("kill -KILL $$", "ended with code 137: ", "")]
    public void A_failure_is_one_line(string body, string middle, string end)
    {
        string script = Script(body);
        Assert.Equal($"SubnetAddCommand {middle}{script}{end}", Refused(script));
    }

    [Theory]
    [InlineData("/no/such/program")]
    [InlineData("/etc/passwd")]
    [InlineData("no-such-program-at-all")]
    [InlineData("$NOTHING")]
    public void What_cannot_be_started_is_one_line(string text)
    {
        string line = Refused(text);
        Assert.StartsWith("SubnetAddCommand", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    /// <summary>Everything it started goes with it.</summary>
    [Fact]
    public void A_command_that_hangs_is_killed()
    {
        string pidFile = Path.Combine(_directory, "pid");
        string script = Script($"sleep 300 & echo $! > {pidFile}; wait");
        long started = Stopwatch.GetTimestamp();
        string line = Refused(script, deadline: TimeSpan.FromSeconds(1));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 1, 8);
        Assert.Contains("did not end within 1 s and was killed", line, StringComparison.Ordinal);
        int child = int.Parse(File.ReadAllText(pidFile).Trim());
        Soon.True(() => !Directory.Exists($"/proc/{child}") || File.ReadAllText($"/proc/{child}/stat").Contains(") Z", StringComparison.Ordinal), "the end of its child");
    }

    /// <summary>flanneld's users start their tunnels this way.</summary>
    [Fact]
    public void A_program_in_the_background_is_not_waited_for()
    {
        string pidFile = Path.Combine(_directory, "pid");
        string script = Script($"sleep 300 & echo $! > {pidFile}; echo started");
        long started = Stopwatch.GetTimestamp();
        try
        {
            Assert.Equal("started", Run(script));
            Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 8);
        }
        finally
        {
            Process.GetProcessById(int.Parse(File.ReadAllText(pidFile).Trim())).Kill();
        }
    }

    [Fact]
    public void A_flood_of_output_is_refused_and_not_kept()
    {
        string script = Script("head -c 50000000 /dev/zero");
        long before = GC.GetTotalAllocatedBytes();
        Assert.Contains("more than 32768 bytes", Refused(script), StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 20_000_000);
    }

    [Fact]
    public void Much_input_that_nobody_reads_is_no_error() => Assert.Equal("", Run("true", new string('x', 1_000_000)));

    private static string Refused(string text, TimeSpan? deadline = null) => Assert.Throws<IOException>(() => Run(text, deadline: deadline)).Message;

    private static string Run(string text, string input = "", Dictionary<string, string>? environment = null, TimeSpan? deadline = null) =>
        CommandRunner.Run(new("SubnetAddCommand", text), environment ?? [], input, deadline ?? TimeSpan.FromSeconds(30));

    private string Script(string body)
    {
        string path = Path.Combine(_directory, $"s{Directory.GetFiles(_directory).Length}.sh");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
