using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Topologies;

/// <summary>A named network namespace of the lab.</summary>
internal sealed class NetworkNamespace
{
    private const string Directory = "/run/netns";

    private NetworkNamespace(string name) => Name = name;

    /// <summary>Name, as <c>ip netns</c> knows it.</summary>
    internal string Name { get; }

    /// <summary>Makes a namespace with its loopback up.</summary>
    /// <exception cref="LabException">The kernel refused, most likely for want of rights.</exception>
    internal static NetworkNamespace Create(string name)
    {
        (int exitCode, _, string error) = Tool.Try("", "ip", "netns", "add", name);
        if (exitCode != 0) throw new LabException($"cannot make a network namespace: {error.TrimEnd()}; the lab needs root");
        var made = new NetworkNamespace(name);
        // Otherwise router solicitations and duplicate address detection send packets of their own while something is measured.
        made.Batch("link set lo up");
        made.Sysctl("net/ipv6/conf/default/disable_ipv6", "1");
        return made;
    }

    /// <summary>Runs lines of <c>ip -batch</c> here.</summary>
    internal void Batch(params IReadOnlyList<string> lines) => Tool.RunWithInput(string.Join('\n', lines) + "\n", "ip", "-n", Name, "-batch", "-");

    /// <summary>Runs lines of <c>bridge -batch</c> here.</summary>
    internal void BridgeBatch(IReadOnlyList<string> lines) => Tool.RunWithInput(string.Join('\n', lines) + "\n", "bridge", "-n", Name, "-batch", "-");

    /// <summary>Runs a program here to its end.</summary>
    internal string Run(string program, params string[] arguments) => Tool.Run("ip", CommandLine(program, arguments));

    /// <summary>Starts a program here. <c>ip</c> replaces itself by it, so the process id is the program's.</summary>
    internal Child Start(string program, params string[] arguments) => Start(null, program, arguments);

    /// <summary>The same, and tells every line of its standard output.</summary>
    internal Child Start(Action<string>? onLine, string program, params string[] arguments) => Child.Start(onLine, "ip", CommandLine(program, arguments));

    /// <summary>Writes a file under /proc/sys; which namespace that is, the kernel tells by the writing process.</summary>
    internal void Sysctl(string path, string value) => Run("sh", "-c", "printf %s \"$2\" >\"/proc/sys/$1\"", "sh", path, value);

    /// <summary>Whether a device of that name is here.</summary>
    internal bool HasDevice(string device) => Tool.Try("", "ip", "-n", Name, "link", "show", device).ExitCode == 0;

    /// <summary>Names of all namespaces that begin with a prefix.</summary>
    internal static IReadOnlyList<string> Names(string prefix) =>
        System.IO.Directory.Exists(Directory)
            ? [.. System.IO.Directory.GetFiles(Directory, prefix + "*").Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Ends every process inside, then removes the namespace with all its devices.</summary>
    internal static void Remove(string name)
    {
        (_, string pids, _) = Tool.Try("", "ip", "netns", "pids", name);
        foreach (string pid in pids.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Signals.Kill(int.Parse(pid, NumberStyles.None, CultureInfo.InvariantCulture));
        (int exitCode, _, string error) = Tool.Try("", "ip", "netns", "del", name);
        // Two labs may clean at the same time; what counts is that it is gone.
        if (exitCode != 0 && File.Exists($"{Directory}/{name}")) throw new LabException($"cannot remove namespace {name}: {error.TrimEnd()}");
    }

    private string[] CommandLine(string program, string[] arguments) => ["netns", "exec", Name, program, .. arguments];
}
