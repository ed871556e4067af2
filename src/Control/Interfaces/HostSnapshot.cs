using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Interfaces;

/// <summary>The host's links and addresses at one moment.</summary>
/// <param name="links">In the order of their indices.</param>
/// <param name="addresses">In the kernel's order.</param>
internal sealed class HostSnapshot(IReadOnlyList<Link> links, IReadOnlyList<InterfaceAddress> addresses)
{
    internal IReadOnlyList<Link> Links => links;

    internal Link? FindLink(string name) => links.FirstOrDefault(link => link.Name == name);

    internal Link? FindLink(int index) => links.FirstOrDefault(link => link.Index == index);

    /// <summary>The link of lowest index that has the address, of whatever kind it is.</summary>
    internal Link? FindOwner(IPAddress address) => links.FirstOrDefault(link => Has(link, address));

    internal bool Has(Link link, IPAddress address) =>
        addresses.Any(candidate => candidate.LinkIndex == link.Index && candidate.Address.Equals(new IPAddress(address.GetAddressBytes())));

    /// <summary>The link's usable addresses, best first.</summary>
    internal List<IPAddress> AddressesOf(Link link, AddressFamily family) =>
        AddressPreference.Order(addresses.Where(address => address.LinkIndex == link.Index), family);

    /// <summary>"eth0:10.0.0.1, eth1:10.0.1.1 2001:db8::1", for messages.</summary>
    public override string ToString() => string.Join(", ", links.Select(link =>
        $"{link.Name}:{string.Join(' ', [.. AddressesOf(link, AddressFamily.InterNetwork), .. AddressesOf(link, AddressFamily.InterNetworkV6)])}"));
}
