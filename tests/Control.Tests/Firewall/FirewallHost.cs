using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Processes;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Tests.Fakes;
using Microsoft.Win32.SafeHandles;

namespace FlannelFast.Control.Tests.Firewall;

/// <summary>
/// A network namespace with a variant of iptables in its PATH. Named after this process, so that a later run removes what a killed one left.
/// Runs programs inside, for the firewall as for the test.
/// </summary>
internal sealed partial class FirewallHost : IProgramRunner, IDisposable
{
    private const string Prefix = "ff-w";
    private const int CLONE_NEWNET = 0x40000000;
    private static int s_count;

    private readonly ProgramRunner _runner = new();
    private readonly TemporaryDirectory _files = new();
    private readonly string _name = $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";

    static FirewallHost()
    {
        if (!Directory.Exists("/run/netns")) return;
        foreach (string path in Directory.GetFiles("/run/netns", Prefix + "*-*"))
        {
            string name = Path.GetFileName(path);
            if (!Directory.Exists($"/proc/{name[Prefix.Length..name.IndexOf('-', Prefix.Length)]}")) NetworkNamespace.Shell($"ip netns del {name}");
        }
    }

    /// <param name="variant">"legacy" or "nft"; null for a host that has no iptables.</param>
    public FirewallHost(string? variant)
    {
        NetworkNamespace.Shell($"ip netns add {_name}; ip -n {_name} link set lo up");
        Directory.CreateDirectory(_files["bin"]);
        if (variant is not null) Install(variant);
    }

    public string Name => _name;

    /// <summary>The xtables lock of this host alone; the real one belongs to the machine.</summary>
    public string LockFile => _files["xtables.lock"];

    /// <summary>How often each program was started for the firewall.</summary>
    public List<string> Started { get; } = [];

    /// <summary>Shell commands to run before a program, to get in between; taken once.</summary>
    public (string Program, string Commands)? Before { get; set; }

    public void Install(string variant)
    {
        // Which applet of xtables-*-multi runs is told by the name it is called by.
        foreach (string family in new[] { "iptables", "ip6tables" })
        {
            foreach (string suffix in new[] { "", "-save", "-restore" }) Link(family + suffix, $"/usr/sbin/{family}-{variant}{suffix}");
        }
    }

    public void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(_files["bin"], name), target);

    public void Uninstall(string name) => File.Delete(Path.Combine(_files["bin"], name));

    public Task<ProgramResult> RunAsync(ProgramRequest request, CancellationToken cancel)
    {
        lock (Started) Started.Add(request.ToString());
        if (Before is { } before && request.Program == before.Program)
        {
            Before = null;
            Shell(before.Commands);
        }
        string program = request.Program == "nft" ? "/usr/sbin/nft" : ProgramPath.Find(request.Program, _files["bin"])
            ?? throw new ProgramException($"{request.Program} is not installed (searched {_files["bin"]})", isMissing: true);
        return _runner.RunAsync(request with
        {
            Program = "nsenter",
            Arguments = [$"--net=/run/netns/{_name}", program, .. request.Arguments],
            Environment = new Dictionary<string, string?>(request.Environment) { ["XTABLES_LOCKFILE"] = LockFile },
        }, cancel);
    }

    /// <summary>Runs shell commands inside; returns what they print, fails if they fail.</summary>
    public string Shell(string commands) => NetworkNamespace.Shell(
        $"export PATH={_files["bin"]}:$PATH XTABLES_LOCKFILE={LockFile}; nsenter --net=/run/netns/{_name} sh -ec '{commands.Replace("'", "'\\''")}'");

    /// <summary>Calls a function on a thread inside. A socket belongs to the namespace it was made in.</summary>
    public T Within<T>(Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle($"/run/netns/{_name}");
                if (setns((int)handle.DangerousGetHandle(), CLONE_NEWNET) != 0) throw new InvalidOperationException($"setns: errno {Marshal.GetLastSystemError()}");
                result = function();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>A UDP socket inside.</summary>
    public UdpClient Socket(string address, int port = 0) => Within(() => new UdpClient(new IPEndPoint(IPAddress.Parse(address), port)));

    /// <summary>Lines of what a command prints.</summary>
    public string[] Lines(string command) => Shell(command).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Dispose()
    {
        NetworkNamespace.Shell($"ip netns del {_name}");
        _files.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int setns(int fd, int nstype);
}
