using System.Net;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Tests.Fakes;

/// <summary>A host that exists on paper only.</summary>
internal sealed class FakeNetwork : IHostNetwork
{
    private readonly List<Link> _links = [];
    private readonly List<InterfaceAddress> _addresses = [];
    private readonly List<Route> _routes = [];
    private readonly Dictionary<IPAddress, RouteLookup> _ways = [];

    public FakeNetwork() => AddLink("lo", "127.0.0.1", "::1");

    public Link AddLink(string name, params string[] addresses)
    {
        var link = new Link { Index = _links.Count + 1, Name = name, Mtu = name == "lo" ? 65536 : 1500 };
        _links.Add(link);
        foreach (string address in addresses) AddAddress(link, address);
        return link;
    }

    public void AddAddress(Link link, string address, AddressFlags flags = AddressFlags.Permanent) =>
        _addresses.Add(new() { LinkIndex = link.Index, Address = IPAddress.Parse(address), PrefixLength = 24, Flags = flags });

    public void RemoveAddress(string address) => _addresses.RemoveAll(a => a.Address.Equals(IPAddress.Parse(address)));

    public void AddDefaultRoute(Link? link, string any = "0.0.0.0/0", RouteType type = RouteType.Unicast) =>
        _routes.Add(new() { Destination = IPNetwork.Parse(any), LinkIndex = link?.Index ?? 0, Type = type });

    public void AddWay(string destination, Link link, string source) =>
        _ways[IPAddress.Parse(destination)] = new(link, IPAddress.Parse(source), null, link.Mtu);

    public void SetMtu(Link link, int mtu) => _links[link.Index - 1] = link with { Mtu = mtu };

    public void RemoveLink(Link link)
    {
        _links.RemoveAll(l => l.Index == link.Index);
        _addresses.RemoveAll(a => a.LinkIndex == link.Index);
    }

    public IReadOnlyList<Link> Links() => [.. _links];

    public IReadOnlyList<InterfaceAddress> Addresses() => [.. _addresses];

    public IReadOnlyList<Route> Routes() => [.. _routes];

    public RouteLookup? FindRoute(IPAddress destination) => _ways.GetValueOrDefault(destination);
}
