using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Firewall;

/// <summary>
/// The route that ends packets for pods which are not there (-ip-blackhole-route), where they would go round between overlay and default route.
/// Its metric is the worst there is: stock's, with metric 0, is in the way of the bridge's own route to the same subnet, which the kernel puts
/// behind it (fib_insert_alias with NLM_F_APPEND).
/// </summary>
internal sealed class BlackholeRoute(RouteClient routes)
{
    /// <summary>Sees to it that there is one for each of this host's subnets, and that those of stock go.</summary>
    /// <returns>One phrase for each change.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    internal IReadOnlyList<string> Ensure(LeasedSubnet own)
    {
        var changes = new List<string>();
        foreach (IPNetwork subnet in Subnets(own))
        {
            List<Route> found = Find(subnet);
            if (!found.Exists(IsOurs))
            {
                routes.TryAdd(new() { Destination = subnet, LinkIndex = 0, Type = RouteType.Blackhole, Metric = uint.MaxValue });
                changes.Add($"blackhole route {subnet} set");
            }
            foreach (Route other in found)
            {
                if (!IsOurs(other) && routes.TryDelete(other)) changes.Add($"blackhole route {subnet} of stock flannel deleted");
            }
        }
        return changes;
    }

    /// <summary>Removes the routes of a subnet that was given up: by now it may be another host's, and its packets would end here.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    internal IReadOnlyList<string> Remove(LeasedSubnet former, LeasedSubnet own)
    {
        var changes = new List<string>();
        foreach (IPNetwork subnet in Subnets(former))
        {
            if (subnet.Equals(own.Ipv4) || subnet.Equals(own.Ipv6)) continue;
            foreach (Route route in Find(subnet))
            {
                if (routes.TryDelete(route)) changes.Add($"blackhole route {subnet} of an earlier run deleted");
            }
        }
        return changes;
    }

    private List<Route> Find(IPNetwork subnet)
    {
        List<Route> found = routes.List(Libc.RT_TABLE_MAIN, subnet.BaseAddress.AddressFamily);
        found.RemoveAll(route => route.Type != RouteType.Blackhole || !route.Destination.Equals(subnet));
        return found;
    }

    private static bool IsOurs(Route route) => route.Metric == uint.MaxValue;

    private static IEnumerable<IPNetwork> Subnets(LeasedSubnet subnet)
    {
        if (subnet.Ipv4 is { } ipv4) yield return ipv4;
        if (subnet.Ipv6 is { } ipv6) yield return ipv6;
    }
}
