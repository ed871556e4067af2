using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Firewall;

/// <summary>
/// Looks for the module by which packets inside a bridge pass iptables. None of flannel's rules needs it: what crosses the overlay or leaves the host is
/// routed. kube-proxy needs it. Stock ends with exit code 1 where it is missing, whatever the backend.
/// </summary>
internal static class BridgeNetfilter
{
    private const string Directory = "/proc/sys/net/bridge";

    /// <summary>Warns once for each enabled family whose switch is missing.</summary>
    /// <param name="log">Takes the warnings.</param>
    /// <param name="ipv4">The cluster has IPv4.</param>
    /// <param name="ipv6">The cluster has IPv6.</param>
    /// <param name="directory">Where the kernel shows the switches.</param>
    /// <returns>Whether everything was there.</returns>
    internal static bool Check(ILogger log, bool ipv4, bool ipv6, string directory = Directory)
    {
        bool isThere = true;
        if (ipv4) isThere &= Check(log, Path.Combine(directory, "bridge-nf-call-iptables"));
        if (ipv6) isThere &= Check(log, Path.Combine(directory, "bridge-nf-call-ip6tables"));
        return isThere;
    }

    private static bool Check(ILogger log, string path)
    {
        if (File.Exists(path)) return true;
        log.BridgeNetfilterMissing(path);
        return false;
    }
}
