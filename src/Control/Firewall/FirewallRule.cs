using System.Net;

namespace FlannelFast.Control.Firewall;

/// <summary>
/// One rule, as far as flannel has ever written rules: both managers print it in their own language and read it back. Equal by value, so that
/// wanted and found rules can be compared whatever the text looks like.
/// </summary>
internal sealed record FirewallRule
{
    /// <summary>Bit that kube-proxy sets on packets which it masquerades itself; twice would hit a NAT bug of older kernels (flannel 21e6bead).</summary>
    internal const uint KubeProxyMark = 0x4000;

    internal AddressMatch? Source { get; init; }

    internal AddressMatch? Destination { get; init; }

    /// <summary>Only packets with kube-proxy's mark.</summary>
    internal MarkMatch Mark { get; init; }

    internal required FirewallVerdict Verdict { get; init; }

    /// <summary>Chooses the source port at random (NF_NAT_RANGE_PROTO_RANDOM_FULLY), or connections of two pods to one server may choose the same and one is dropped.</summary>
    internal bool IsFullyRandom { get; init; }

    /// <summary>Where <see cref="FirewallVerdict.Jump"/> leads.</summary>
    internal string? Target { get; init; }

    /// <summary>By which people and flannel tell whose rule it is; iptables only.</summary>
    internal string? Comment { get; init; }

    /// <summary>The unicast networks it speaks of, negated or not.</summary>
    internal IEnumerable<IPNetwork> Networks
    {
        get
        {
            if (Source is { } source) yield return source.Network;
            if (Destination is { } destination && !IsMulticast(destination.Network)) yield return destination.Network;
        }
    }

    private static bool IsMulticast(IPNetwork network) => network.Equals(RuleSet.MulticastIpv4) || network.Equals(RuleSet.MulticastIpv6);
}
