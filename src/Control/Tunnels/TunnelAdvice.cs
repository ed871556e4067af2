namespace FlannelFast.Control.Tunnels;

/// <summary>What to do about a host that does not fit the tunnel, in the words of whoever configured it: each ends a sentence.</summary>
/// <param name="DeviceTaken">Behind "device ff0 exists already: ".</param>
/// <param name="PortTaken">Behind "UDP 192.0.2.1:8285 is in use by another program: ".</param>
/// <param name="LocalMissing">Behind "no interface of this host owns 192.0.2.1: ".</param>
/// <param name="RouteTaken">Behind "a route by eth1 to 10.5.0.0/16 exists already: ".</param>
internal sealed record TunnelAdvice(string DeviceTaken, string PortTaken, string LocalMissing, string RouteTaken)
{
    /// <summary>For those who wrote the flags of the tunnel command, or its file.</summary>
    internal static TunnelAdvice ForTunnelCommand { get; } = new(
        "choose another --device or remove it", "stop it or choose another --port", "give --local an address of this host", "remove it or choose another --network");

    /// <summary>For those who wrote the network config of a cluster.</summary>
    internal static TunnelAdvice ForBackend { get; } = new(
        "remove it or stop the daemon it belongs to", "stop it or change Port in the network config", "choose one with -iface", "remove it or change Network in the network config");
}
