using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Interfaces;

/// <summary>Which of a link's addresses peers shall use, as flannel orders them since v0.28 (pull request 2295).</summary>
internal static class AddressPreference
{
    private static readonly IPNetwork s_linkLocalV4 = IPNetwork.Parse("169.254.0.0/16");

    /// <summary>
    /// The usable addresses, best first: global before link-local, permanent before those with a lifetime, and temporary ones (IPv6 privacy
    /// addresses; IPv4 secondary ones carry the same flag) last. Ties stay in the kernel's order.
    /// </summary>
    internal static List<IPAddress> Order(IEnumerable<InterfaceAddress> addresses, AddressFamily family) =>
    [
        .. addresses
            .Where(address => address.Address.AddressFamily == family && IsUsable(address))
            .OrderBy(address => IsLinkLocal(address.Address))
            .ThenBy(address => address.Flags.HasFlag(AddressFlags.Tentative))
            .ThenByDescending(address => address.Flags.HasFlag(AddressFlags.Permanent))
            .ThenBy(address => address.Flags.HasFlag(AddressFlags.Temporary))
            .Select(address => address.Address),
    ];

    /// <summary>Go's IsGlobalUnicast or IsLinkLocalUnicast, and nothing that is about to go or that another host has.</summary>
    private static bool IsUsable(InterfaceAddress address) =>
        !IPAddress.IsLoopback(address.Address) && !address.Address.Equals(IPAddress.Any) && !address.Address.IsIPv6Multicast &&
        (address.Flags & (AddressFlags.Deprecated | AddressFlags.DadFailed)) == 0;

    private static bool IsLinkLocal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? s_linkLocalV4.Contains(address) : address.IsIPv6LinkLocal;
}
