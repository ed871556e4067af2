using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Interfaces;

/// <summary>Chooses the underlay by flannel's rules (main.go and pkg/ipmatch/match.go).</summary>
/// <param name="network">The host.</param>
/// <param name="rules">What the user wants.</param>
/// <param name="log">Where each rule that did not match is reported.</param>
internal sealed class InterfaceSelector(IHostNetwork network, InterfaceRules rules, ILogger log)
{
    /// <summary>Chooses an interface that has an address of each wanted family.</summary>
    /// <exception cref="InterfaceNotFoundException">There is none.</exception>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    internal ExternalInterface Select(AddressFamilies families)
    {
        var host = new HostSnapshot(network.Links(), network.Addresses());
        ExternalInterface external = HasRules ? ByRules(host, families) : ByDefault(host, families);
        log.Selected(external.Link.Name, external.Link.Mtu, Both(external.Address, external.AddressV6));
        if (external.PublicIP is { } ip && !ip.Equals(external.Address)) log.External(ip);
        if (external.PublicIPv6 is { } ipv6 && !ipv6.Equals(external.AddressV6)) log.External(ipv6);
        return external;
    }

    private bool HasRules => rules.Names.Count > 0 || rules.Patterns.Count > 0 || rules.CanReach is not null;

    private ExternalInterface ByDefault(HostSnapshot host, AddressFamilies families)
    {
        try
        {
            // A public address that is on no interface (NAT) cannot tell which one to use: stock ends here too.
            IPAddress? published = rules.PublicIP ?? rules.PublicIPv6;
            return published is null
                ? Complete(host, ByDefaultRoute(host, families), families, null, null)
                : ByAddress(host, published, families);
        }
        catch (InterfaceNotFoundException e)
        {
            throw new InterfaceNotFoundException($"failed to find any valid interface to use: {e.Message}");
        }
    }

    private ExternalInterface ByRules(HostSnapshot host, AddressFamilies families)
    {
        foreach (string name in rules.Names)
        {
            if (Try(name, () => ByNameOrAddress(host, name, families)) is { } found) return found;
        }
        foreach (string pattern in rules.Patterns)
        {
            if (Try(pattern, () => ByPattern(host, pattern, families)) is { } found) return found;
        }
        if (rules.CanReach is { } destination && Try($"{destination}", () => ByRoute(host, destination, families)) is { } reached) return reached;
        throw new InterfaceNotFoundException("failed to find interface to use that matches the interfaces and/or regexes provided");
    }

    private ExternalInterface? Try(string rule, Func<ExternalInterface> find)
    {
        try
        {
            return find();
        }
        catch (InterfaceNotFoundException e)
        {
            log.NoMatch(rule, e.Message);
            return null;
        }
    }

    private ExternalInterface ByNameOrAddress(HostSnapshot host, string name, AddressFamilies families)
    {
        if (AddressText.TryParse(name, out IPAddress? address)) return ByAddress(host, address, families);
        Link link = host.FindLink(name) ?? throw new InterfaceNotFoundException($"this host has no interface {name}");
        return Complete(host, link, families, null, null);
    }

    private ExternalInterface ByAddress(HostSnapshot host, IPAddress address, AddressFamilies families)
    {
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (!families.HasFlag(isV4 ? AddressFamilies.Ipv4 : AddressFamilies.Ipv6))
            throw new InterfaceNotFoundException($"the network of the cluster has no {(isV4 ? "IPv4" : "IPv6")}, so {address} cannot be its underlay");
        Link link = host.FindOwner(address) ?? throw new InterfaceNotFoundException($"no interface of this host has the address {address}");
        return Complete(host, link, families, isV4 ? address : null, isV4 ? null : address);
    }

    /// <summary>An address that matches is looked for on every interface before any name: "eth" as a pattern never matches an address, "10" may match both.</summary>
    private ExternalInterface ByPattern(HostSnapshot host, string pattern, AddressFamilies families)
    {
        Regex regex = GoRegex.Compile(pattern);
        foreach (Link link in host.Links)
        {
            IPAddress? v4 = Match(AddressFamily.InterNetwork), v6 = Match(AddressFamily.InterNetworkV6);
            bool matches = (v4 is not null || !families.HasFlag(AddressFamilies.Ipv4)) && (v6 is not null || !families.HasFlag(AddressFamilies.Ipv6));
            if (matches) return Complete(host, link, families, v4, v6);

            IPAddress? Match(AddressFamily family) => host.AddressesOf(link, family).Find(address => regex.IsMatch(address.ToString()));
        }
        foreach (Link link in host.Links)
        {
            if (regex.IsMatch(link.Name)) return Complete(host, link, families, null, null);
        }
        throw new InterfaceNotFoundException($"none of the interfaces matches ({host})");
    }

    private ExternalInterface ByRoute(HostSnapshot host, IPAddress destination, AddressFamilies families)
    {
        RouteLookup way = network.FindRoute(destination) ?? throw new InterfaceNotFoundException($"there is no route to {destination}");
        bool isV4 = destination.AddressFamily == AddressFamily.InterNetwork;
        return Complete(host, way.Link, families, isV4 ? way.Source : null, isV4 ? null : way.Source);
    }

    private Link ByDefaultRoute(HostSnapshot host, AddressFamilies families)
    {
        IReadOnlyList<Route> routes = network.Routes();
        Link? v4 = families.HasFlag(AddressFamilies.Ipv4) ? OwnerOfDefault(IPAddress.Any, "default route") : null;
        Link? v6 = families.HasFlag(AddressFamilies.Ipv6) ? OwnerOfDefault(IPAddress.IPv6Any, "default v6 route") : null;
        if (v4 is not null && v6 is not null && v4.Index != v6.Index)
            throw new InterfaceNotFoundException($"v6 default route interface {v6.Name} must be the same with v4 default route interface {v4.Name}; name one with -iface");
        return v4 ?? v6!;

        Link OwnerOfDefault(IPAddress any, string name)
        {
            foreach (Route route in routes)
            {
                bool isDefault = route.Destination.PrefixLength == 0 && route.Destination.BaseAddress.Equals(any) && route.Type == RouteType.Unicast;
                // A multipath route has no link of its own; another default route may.
                if (isDefault && route.LinkIndex != 0 && host.FindLink(route.LinkIndex) is { } link) return link;
            }
            throw new InterfaceNotFoundException($"unable to find {name}; name an interface with -iface");
        }
    }

    /// <summary>Fills in what a rule has not fixed: the addresses of the interface, and what is published.</summary>
    private ExternalInterface Complete(HostSnapshot host, Link link, AddressFamilies families, IPAddress? v4, IPAddress? v6)
    {
        v4 = families.HasFlag(AddressFamilies.Ipv4) ? v4 ?? First(AddressFamily.InterNetwork, "IPv4") : null;
        v6 = families.HasFlag(AddressFamilies.Ipv6) ? v6 ?? First(AddressFamily.InterNetworkV6, "IPv6") : null;
        if (link.Mtu == 0) throw new InterfaceNotFoundException($"failed to determine MTU for {link.Name} interface");
        return new(link, v4, v6, v4 is null ? null : rules.PublicIP ?? v4, v6 is null ? null : rules.PublicIPv6 ?? v6);

        IPAddress First(AddressFamily family, string name) => host.AddressesOf(link, family) is [var best, ..]
            ? best
            : throw new InterfaceNotFoundException($"failed to find {name} address for interface {link.Name}");
    }

    private static string Both(IPAddress? v4, IPAddress? v6) => v4 is null ? $"{v6}" : v6 is null ? $"{v4}" : $"{v4} and {v6}";
}
