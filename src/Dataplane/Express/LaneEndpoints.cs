using System.Net;

namespace FlannelFast.Dataplane.Express;

/// <summary>Which hosts take part in an express lane, by PublicIP. Peers of others stay with the engine.</summary>
/// <param name="Reached">Hosts that are reached over the underlay of the lane: what they send by theirs is taken.</param>
/// <param name="Open">Those of them that packets are sent to by the lane. What one gets may be unfinished, so it must be known to have a lane, or the kernel's own VXLAN device.</param>
public sealed record LaneEndpoints(IReadOnlySet<IPAddress> Reached, IReadOnlySet<IPAddress> Open)
{
    /// <summary>Nobody.</summary>
    public static LaneEndpoints None { get; } = new(new HashSet<IPAddress>(), new HashSet<IPAddress>());

    /// <summary>True if both take the same hosts.</summary>
    public bool IsSameAs(LaneEndpoints other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Reached.SetEquals(other.Reached) && Open.SetEquals(other.Open);
    }
}
