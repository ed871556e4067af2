using System.Globalization;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// What a tunnel needs of its host before anything is changed there, and what to say when it is missing. Every message is
/// one line with the remedy in it.
/// </summary>
internal static class HostRequirements
{
    private const int CapNetAdmin = 12;

    private const string Remedy = "run as root, or once: sudo setcap cap_net_admin+ep ";

    /// <summary>Looks for /dev/net/tun and CAP_NET_ADMIN.</summary>
    /// <exception cref="HostRequirementException">One is missing.</exception>
    internal static void Check() => Check("/dev/net/tun", "/proc/self/status");

    /// <summary>The same with other paths.</summary>
    internal static void Check(string tunPath, string statusPath)
    {
        if (!File.Exists(tunPath))
            throw new HostRequirementException($"there is no {tunPath}: load the driver with \"sudo modprobe tun\"; in a container pass the device, for example --device {tunPath}");
        CheckCapability("making a network device", statusPath);
    }

    /// <summary>Looks for CAP_NET_ADMIN.</summary>
    /// <param name="purpose">What it is for: "setting routes".</param>
    /// <param name="statusPath">Where the kernel tells what this process may do.</param>
    /// <exception cref="HostRequirementException">It is missing.</exception>
    internal static void CheckCapability(string purpose, string statusPath = "/proc/self/status")
    {
        if (!HasCapability(statusPath)) throw new HostRequirementException($"{purpose} needs CAP_NET_ADMIN: {Remedy}{Program}");
    }

    /// <summary>The one line for a start that failed: adds the remedy where the kernel denied something.</summary>
    internal static string Explain(Exception failure) => failure switch
    {
        ErrnoException { Errno: Errno.EPERM } => $"{failure.Message}: {Remedy}{Program}",
        // The capability was there (Check), so it is the mode of the device node: a capability does not open files.
        ErrnoException { Errno: Errno.EACCES } => $"{failure.Message}: run as root, or let this user read and write /dev/net/tun (it is mode 0666 on most distributions)",
        _ => failure.Message,
    };

    private static string Program => Environment.ProcessPath ?? "flannelfast";

    private static bool HasCapability(string statusPath)
    {
        const string field = "CapEff:";
        foreach (string line in File.ReadLines(statusPath))
        {
            if (line.StartsWith(field, StringComparison.Ordinal) &&
                ulong.TryParse(line.AsSpan(field.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong effective))
            {
                return (effective >> CapNetAdmin & 1) != 0;
            }
        }
        // A kernel that tells nothing is asked by trying.
        return true;
    }
}
