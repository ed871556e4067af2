using System.Net;

namespace FlannelFast.Control.Firewall;

/// <summary>A condition on the source or the destination of a packet.</summary>
/// <param name="Network">The addresses meant; never all of them, for that is no condition.</param>
/// <param name="IsNegated">All other addresses.</param>
internal readonly record struct AddressMatch(IPNetwork Network, bool IsNegated)
{
    /// <summary>Inside a network; null, no condition, where that holds every address.</summary>
    internal static AddressMatch? In(IPNetwork network) => network.PrefixLength == 0 ? null : new(network, false);

    /// <summary>Whether one of both networks lies in the other.</summary>
    internal static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);
}
