using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>What tests of the backends that carry packets ask of a host.</summary>
internal static class NodeExtensions
{
    /// <summary>The underlay as the daemon would find it.</summary>
    internal static ExternalInterface External(this Node node, string? address = null, bool ipv6 = false) => node.Do(() =>
    {
        using NetlinkClient netlink = new();
        IPAddress ipv4 = IPAddress.Parse(address ?? node.Address);
        IPAddress? own6 = ipv6 ? IPAddress.Parse(node.AddressV6) : null;
        return new ExternalInterface(netlink.Links.Get("eth0"), ipv4, own6, ipv4, own6);
    });

    /// <summary>Fails unless an echo comes back within the time.</summary>
    internal static void MustReach(this Node node, string address, double seconds = 2) => Soon.True(() => node.Reaches(address), $"an echo from {address}", seconds);

    internal static void MustNotReach(this Node node, string address) => Assert.False(node.Reaches(address));

    private static bool Reaches(this Node node, string address) =>
        node.Shell($"ping -n -c 1 -W 1 {address} 2>&1 || true").Contains(" 0% packet loss", StringComparison.Ordinal);
}
