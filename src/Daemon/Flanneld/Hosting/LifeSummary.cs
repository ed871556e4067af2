namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>A running flanneld in one line, for the log and the service manager.</summary>
internal static class LifeSummary
{
    /// <summary>"vxlan, subnet 10.5.72.0/24 of 10.5.0.0/16, MTU 1450, eth0 192.0.2.1".</summary>
    internal static string Of(DaemonState state)
    {
        string via = $"{state.External!.Link.Name} {state.External.PublicIP ?? state.External.PublicIPv6}";
        return $"{state.Network!.Backend.Type}, subnet {state.Lease!.Own.Subnet} of {state.Network.DescribeNetworks()}, MTU {state.Backend!.Mtu}, {via}";
    }
}
