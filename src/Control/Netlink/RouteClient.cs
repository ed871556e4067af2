using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Reads and changes routes. Methods throw <see cref="NetlinkException"/> when the kernel refuses.</summary>
internal sealed class RouteClient(NetlinkSocket socket, LinkClient links)
{
    private const int BufferSize = 256;

    private static readonly int[] s_gone = [Errno.ESRCH, Errno.ENODEV];
    private static readonly int[] s_noWay = [Errno.ENETUNREACH, Errno.EHOSTUNREACH];

    /// <summary>The routes of one table, without cached ones.</summary>
    /// <param name="table">RT_TABLE_MAIN (254) unless said otherwise.</param>
    /// <param name="family">IPv4, IPv6, or both if unspecified. The kernel's own routes are among both (IPv6: fe80::/64).</param>
    internal List<Route> List(uint table = Libc.RT_TABLE_MAIN, AddressFamily family = AddressFamily.Unspecified)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETROUTE);
        message.Append(new rtmsg { rtm_family = IPAddressFamily.Of(family) });
        List<Route> routes = socket.Dump<Route>(message.Finish(), Route.TryParse, () => "list routes");
        routes.RemoveAll(route => route.Table != table || route.IsCached);
        return routes;
    }

    /// <summary>Adds a route; EEXIST if the table has one to the same destination with the same metric.</summary>
    internal void Add(Route route)
    {
        if (!TryAdd(route)) throw new NetlinkException(Errno.EEXIST, Attempt("add", route));
    }

    /// <summary>As <see cref="Add"/>, but false if the table has one to the same destination with the same metric already.</summary>
    internal bool TryAdd(Route route)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_NEWROUTE, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL);
        AppendRoute(ref message, route);
        return socket.TryExecute(message.Finish(), [Errno.EEXIST], () => Attempt("add", route));
    }

    /// <summary>Adds a route, or puts it in the place of the one to the same destination with the same metric, without a moment in between.</summary>
    internal void Replace(Route route) => socket.Execute(ForReplace(stackalloc byte[BufferSize], route), () => Attempt("replace", route));

    /// <summary>As <see cref="Replace(Route)"/>, when the batch is carried out.</summary>
    internal void Replace(NetlinkBatch batch, Route route) =>
        batch.Add(ForReplace(stackalloc byte[BufferSize], route), () => Attempt("replace", route));

    /// <summary>Removes exactly this route: link, gateway, scope, protocol, source and metric must all be its own.</summary>
    internal void Delete(Route route)
    {
        if (!TryDelete(route)) throw new NetlinkException(Errno.ESRCH, Attempt("delete", route));
    }

    /// <summary>As <see cref="Delete(Route)"/>, but false if the route or its link is gone already.</summary>
    internal bool TryDelete(Route route) => socket.TryExecute(ForDelete(stackalloc byte[BufferSize], route), s_gone, () => Attempt("delete", route));

    /// <summary>As <see cref="TryDelete"/>, when the batch is carried out; a route that is gone already is no failure.</summary>
    internal void Delete(NetlinkBatch batch, Route route) =>
        batch.Add(ForDelete(stackalloc byte[BufferSize], route), () => Attempt("delete", route), s_gone);

    /// <summary>
    /// Asks the kernel which way a packet of this host to <paramref name="destination"/> would go: link, gateway, source
    /// address, path MTU where it knows one. Null if there is no way.
    /// </summary>
    internal Route? Find(IPAddress destination) =>
        socket.TryGet<Route>(ForFind(stackalloc byte[BufferSize], destination), Route.TryParse, s_noWay, () => DescribeFind(destination), out Route? route) ? route : null;

    /// <summary>As <see cref="Find(IPAddress)"/> for many destinations at once: null where there is no way, or where the kernel refused to say.</summary>
    internal Route?[] Find(IReadOnlyList<IPAddress> destinations)
    {
        NetlinkBatch batch = new();
        Span<byte> buffer = stackalloc byte[BufferSize];
        foreach (IPAddress destination in destinations) batch.Add(ForFind(buffer, destination), () => DescribeFind(destination));
        Route?[] routes = new Route?[destinations.Count];
        socket.Get(batch, Route.TryParse, routes);
        return routes;
    }

    private static Span<byte> ForReplace(Span<byte> buffer, Route route)
    {
        NetlinkMessageBuilder message = new(buffer, Libc.RTM_NEWROUTE, Libc.NLM_F_CREATE | Libc.NLM_F_REPLACE);
        AppendRoute(ref message, route);
        return message.Finish();
    }

    private static Span<byte> ForDelete(Span<byte> buffer, Route route)
    {
        NetlinkMessageBuilder message = new(buffer, Libc.RTM_DELROUTE);
        AppendRoute(ref message, route);
        return message.Finish();
    }

    private static Span<byte> ForFind(Span<byte> buffer, IPAddress destination)
    {
        byte family = IPAddressFamily.Of(destination);
        NetlinkMessageBuilder message = new(buffer, Libc.RTM_GETROUTE);
        message.Append(new rtmsg { rtm_family = family, rtm_dst_len = (byte)(8 * IPAddressFamily.SizeOf(family)) });
        message.Add(Libc.RTA_DST, destination);
        return message.Finish();
    }

    private static string DescribeFind(IPAddress destination) => $"find the route to {destination}";

    private static void AppendRoute(ref NetlinkMessageBuilder message, Route route)
    {
        IPAddress destination = route.Destination.BaseAddress;
        message.Append(new rtmsg
        {
            rtm_family = IPAddressFamily.Of(destination),
            rtm_dst_len = (byte)route.Destination.PrefixLength,
            rtm_table = route.Table <= byte.MaxValue ? (byte)route.Table : Libc.RT_TABLE_COMPAT,
            rtm_protocol = (byte)route.Protocol,
            rtm_scope = (byte)route.Scope,
            rtm_type = (byte)route.Type,
            rtm_flags = route.IsOnLink ? Libc.RTNH_F_ONLINK : 0,
        });
        if (route.Destination.PrefixLength > 0) message.Add(Libc.RTA_DST, destination);
        if (route.LinkIndex != 0) message.Add(Libc.RTA_OIF, route.LinkIndex);
        if (route.Gateway is not null) message.Add(Libc.RTA_GATEWAY, route.Gateway);
        if (route.PreferredSource is not null) message.Add(Libc.RTA_PREFSRC, route.PreferredSource);
        if (route.Metric != 0) message.Add(Libc.RTA_PRIORITY, route.Metric);
        if (route.Table > byte.MaxValue) message.Add(Libc.RTA_TABLE, route.Table);
        if (route.Mtu == 0) return;
        int metrics = message.BeginNested(Libc.RTA_METRICS);
        message.Add(Libc.RTAX_MTU, route.Mtu);
        message.EndNested(metrics);
    }

    private string Attempt(string verb, Route route)
    {
        string link = route.LinkIndex == 0 ? "" : $" dev {NameOf(route.LinkIndex)}";
        return $"{verb} route {route}{link}";
    }

    // For the text of an error only: the link may be what is missing, and the first error is the one to report.
    private string NameOf(int index)
    {
        try
        {
            return links.Find(index)?.Name ?? $"#{index}";
        }
        catch (NetlinkException)
        {
            return $"#{index}";
        }
    }
}
