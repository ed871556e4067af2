namespace FlannelFast.Dataplane.Peers;

/// <summary>An IPv4 peer subnet on its way into a lookup structure.</summary>
/// <param name="First">The first address, host order.</param>
/// <param name="Length">The prefix length, 1 to 32.</param>
/// <param name="Peer">The peer's index.</param>
internal readonly record struct Ipv4Route(uint First, int Length, int Peer)
{
    /// <summary>The last address.</summary>
    internal uint Last => First | (uint)(0xFFFFFFFFUL >> Length);
}
