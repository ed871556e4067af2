using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Backends.Engine;

/// <summary>What one lease means to one tunnel: nothing (the default), a peer, or a peer that cannot be.</summary>
/// <param name="Peer">The peer; null where there is none.</param>
/// <param name="Refusal">Why there is none although the lease asks for one, as the end of a sentence about it.</param>
internal readonly record struct PeerCandidate(Peer? Peer, string? Refusal = null)
{
    /// <summary>A peer for one family of a lease; nothing where the lease has no subnet of it.</summary>
    internal static PeerCandidate Of(IPNetwork? subnet, IPAddress? host, MacAddress mac = default)
    {
        if (subnet is not { } network) return default;
        return host is null ? Refused("has no address for this underlay") : new(new Peer(network, host, mac));
    }

    internal static PeerCandidate Refused(string reason) => new(null, reason);
}
