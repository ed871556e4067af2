using System.Globalization;
using System.Runtime.ExceptionServices;

namespace FlannelFast.EndToEnd.Support;

/// <summary>
/// A network namespace of its own, named "ff-t" + process id + "-" + number, so that a later run knows what a killed one left
/// behind. Disposing it ends every process inside and removes it with all its devices.
/// </summary>
internal sealed class Netns : IDisposable
{
    private const string Prefix = "ff-t";
    private const string Directory = "/run/netns";
    private static int s_count;

    static Netns() => RemoveLeftovers();

    private Netns(string name) => Name = name;

    /// <summary>Name, as <c>ip netns</c> knows it.</summary>
    public string Name { get; }

    /// <summary>Makes a namespace with its loopback up.</summary>
    public static Netns Create()
    {
        var netns = new Netns($"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}");
        CommandResult added = Shell.Try("ip", "netns", "add", netns.Name);
        if (added.ExitCode != 0)
            throw new InvalidOperationException($"cannot make a network namespace; these tests need root (./test.sh e2e asks for sudo)\n{added}");
        netns.Ip("link", "set", "lo", "up");
        // Duplicate address detection would change addresses and routes by itself a second after a snapshot was taken.
        netns.WriteSysctl("ipv6/conf/default/accept_dad", "0");
        return netns;
    }

    /// <summary>Runs <c>ip</c> on this namespace.</summary>
    public CommandResult Ip(params string[] arguments) => Shell.Run("ip", ["-n", Name, .. arguments]);

    /// <summary>Runs a program inside and demands exit code 0.</summary>
    public CommandResult Run(string program, params string[] arguments) => Try(program, arguments).OrThrow();

    /// <summary>Runs a program inside, whatever its exit code.</summary>
    public CommandResult Try(string program, params string[] arguments) => Shell.Try("ip", CommandLine(program, arguments));

    /// <summary>The arguments of <c>ip</c> that run a program inside. <c>ip</c> replaces itself by it: the process id stays.</summary>
    public string[] CommandLine(string program, params string[] arguments) => ["netns", "exec", Name, program, .. arguments];

    /// <summary>Calls a function on a thread inside. A socket belongs to the namespace it was made in, wherever it is used later.</summary>
    public T Within<T>(Func<T> function)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle($"{Directory}/{Name}");
                Native.EnterNetworkNamespace(handle);
                result = function();
            }
#pragma warning disable CA1031 // Whatever it is, it is thrown again below, on the caller's thread.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Writes a file under /proc/sys/net; which namespace that is, the kernel tells by the writing thread.</summary>
    public void WriteSysctl(string path, string value) => Within(() =>
    {
        File.WriteAllText($"/proc/sys/net/{path}", value);
        return true;
    });

    /// <inheritdoc />
    public void Dispose() => Remove(Name);

    private static void Remove(string name)
    {
        foreach (string pid in Shell.Run("ip", "netns", "pids", name).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Shell.Try("kill", "-KILL", pid);
        Shell.Run("ip", "netns", "del", name);
    }

    private static void RemoveLeftovers()
    {
        if (!System.IO.Directory.Exists(Directory)) return;
        foreach (string path in System.IO.Directory.GetFiles(Directory, $"{Prefix}*-*"))
        {
            string name = Path.GetFileName(path);
            string owner = name[Prefix.Length..name.IndexOf('-', Prefix.Length)];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && !System.IO.Directory.Exists($"/proc/{pid}"))
                Remove(name);
        }
    }
}
