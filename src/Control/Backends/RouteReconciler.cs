using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Backends;

/// <summary>
/// Makes the routes of one kind in the main table those that are wanted: sets what is missing or leads elsewhere, removes those of the
/// kind that nobody wants any more, and those that it has set itself. One thread at a time.
/// </summary>
/// <param name="netlink">Host access, not owned.</param>
/// <param name="family">IPv4 or IPv6.</param>
internal sealed class RouteReconciler(NetlinkClient netlink, AddressFamily family)
{
    /// <summary>What the last <see cref="Apply"/> left in place, by destination.</summary>
    private Dictionary<IPNetwork, Route> _own = [];

    /// <summary>Does it. Nothing is written where nothing differs.</summary>
    /// <param name="wanted">At most one to each destination.</param>
    /// <param name="isOfOurKind">Whether a route found may be removed where it is not wanted.</param>
    /// <exception cref="NetlinkException">The routes cannot be listed.</exception>
    internal RouteChanges Apply(IReadOnlyCollection<Route> wanted, Predicate<Route> isOfOurKind)
    {
        List<Route> present = netlink.Routes.List(family: family);
        // The kernel uses the first of several routes to one destination with the same metric (fib_table_lookup), and "replace" replaces that.
        Dictionary<(IPNetwork, uint), Route> first = new(present.Count);
        List<Route> behind = [];
        foreach (Route route in present)
        {
            if (!first.TryAdd((route.Destination, route.Metric), route)) behind.Add(route);
        }

        NetlinkBatch batch = new();
        List<Action<NetlinkException?>> outcomes = [];
        RouteChanges changes = new();
        HashSet<Route> kept = new(wanted.Count, ReferenceEqualityComparer.Instance);
        foreach (Route route in wanted)
        {
            Route? rival = first.GetValueOrDefault((route.Destination, route.Metric));
            if (rival is not null) kept.Add(rival);
            if (rival is not null && FlannelRoute.IsSame(rival, route)) continue;
            if (rival?.Protocol == RouteProtocol.Kernel)
            {
                // Stock cuts this host off from the network it is connected to.
                changes.Failures.Add(route.Destination, $"route {route}: this host is itself connected to {route.Destination}");
                continue;
            }
            if (behind.Find(other => FlannelRoute.IsSame(other, route)) is { } hidden)
            {
                // "Replace" would refuse to make it twice (net/ipv4/fib_trie.c, fib_table_insert).
                kept.Add(hidden);
                netlink.Routes.Delete(batch, hidden);
                outcomes.Add(_ => { });
            }
            // IPv6 refuses an on-link gateway that another link's route leads to, also when that route is the one to be replaced
            // (net/ipv6/route.c, ip6_route_check_nh_onlink). IPv4 does not look.
            bool isInTheWay = family == AddressFamily.InterNetworkV6 && route.IsOnLink && rival is not null && rival.LinkIndex != route.LinkIndex;
            if (isInTheWay)
            {
                netlink.Routes.Delete(batch, rival!);
                outcomes.Add(_ => { });
            }
            netlink.Routes.Replace(batch, route);
            outcomes.Add(refused =>
            {
                if (refused is null) changes.Set.Add(route);
                else changes.Failures.Add(route.Destination, refused.Message + (isInTheWay ? PutBack(rival!) : ""));
            });
        }
        foreach (Route route in present)
        {
            if (kept.Contains(route) || !(isOfOurKind(route) || IsOwn(route))) continue;
            netlink.Routes.Delete(batch, route);
            outcomes.Add(refused =>
            {
                if (refused is null) changes.Removed.Add(route);
                else changes.OtherFailures.Add(refused.Message);
            });
        }
        NetlinkException?[] results = netlink.Execute(batch);
        for (int i = 0; i < results.Length; i++) outcomes[i](results[i]);
        _own = new(wanted.Count);
        foreach (Route route in wanted)
        {
            if (!changes.Failures.ContainsKey(route.Destination)) _own.Add(route.Destination, route);
        }
        return changes;
    }

    private bool IsOwn(Route route) => _own.TryGetValue(route.Destination, out Route? own) && FlannelRoute.IsSame(route, own);

    /// <summary>A route that had to go first, and for nothing.</summary>
    /// <returns>What to add to the error: nothing where the route is there again.</returns>
    private string PutBack(Route route)
    {
        try
        {
            netlink.Routes.TryAdd(route);
            return "";
        }
        catch (NetlinkException refused)
        {
            return $"; and {refused.Message}";
        }
    }
}
