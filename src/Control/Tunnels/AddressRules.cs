using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Control.Tunnels;

/// <summary>Which addresses can be what in a tunnel.</summary>
internal static class AddressRules
{
    // RFC 6890 and RFC 5771: ranges that no host is reachable at, or only on one link.
    private static readonly IPNetwork[] s_neverRouted =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/3"),
        IPNetwork.Parse("::/127"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),
    ];

    /// <summary>
    /// True if a host can have this address as an underlay endpoint. Loopback is allowed: two tunnels on one machine talk
    /// over it. IPv6 link-local is not, because it means nothing without an interface.
    /// </summary>
    internal static bool IsUnicast(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            return !address.IsIPv6Multicast && !address.IsIPv6LinkLocal && !address.Equals(IPAddress.IPv6Any);
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return bytes[0] is > 0 and < 224;
    }

    /// <summary>True if pods can have addresses in the whole network: no part of it is loopback, link-local, multicast or reserved.</summary>
    internal static bool IsRoutable(IPNetwork network) => !s_neverRouted.Any(reserved => Overlap(reserved, network));

    /// <summary>True if the two have an address in common.</summary>
    internal static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);

    /// <summary>True if every address of <paramref name="inner"/> is one of <paramref name="outer"/>.</summary>
    internal static bool IsInside(IPNetwork inner, IPNetwork outer) =>
        inner.PrefixLength >= outer.PrefixLength && outer.Contains(inner.BaseAddress);

    /// <summary>"IPv4" or "IPv6".</summary>
    internal static string FamilyName(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
}
