using System.Diagnostics.CodeAnalysis;
using System.Net;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>One route with one next hop. Equal by value, so that wanted and found routes can be compared.</summary>
internal sealed record Route
{
    /// <summary>0.0.0.0/0 and ::/0 are the default routes.</summary>
    internal required IPNetwork Destination { get; init; }

    /// <summary>The link packets leave by; 0 where a route has none, or several (multipath).</summary>
    internal required int LinkIndex { get; init; }

    /// <summary>The next hop, of the destination's family; null for a destination on the link itself.</summary>
    internal IPAddress? Gateway { get; init; }

    /// <summary>The gateway is reachable on the link although no route says so.</summary>
    internal bool IsOnLink { get; init; }

    internal RouteScope Scope { get; init; }

    internal RouteProtocol Protocol { get; init; } = RouteProtocol.Boot;

    internal RouteType Type { get; init; } = RouteType.Unicast;

    /// <summary>RT_TABLE_MAIN (254) unless said otherwise.</summary>
    internal uint Table { get; init; } = Libc.RT_TABLE_MAIN;

    /// <summary>The source address of packets whose sender did not choose one; null leaves it to the kernel.</summary>
    internal IPAddress? PreferredSource { get; init; }

    /// <summary>The lower the better; 0 leaves it to the kernel (0 for IPv4, 1024 for IPv6).</summary>
    internal uint Metric { get; init; }

    /// <summary>Largest packet on this route in bytes; 0 where it is the link's.</summary>
    internal int Mtu { get; init; }

    /// <summary>Not a route of the table but what the kernel remembers or answered for one destination (RTM_F_CLONED).</summary>
    internal bool IsCached { get; init; }

    /// <summary>"10.5.2.0/24 via 10.5.2.0".</summary>
    public override string ToString() => Gateway is null ? $"{Destination}" : $"{Destination} via {Gateway}";

    /// <summary>A route to a network directly on a link.</summary>
    internal static Route OnLink(IPNetwork destination, Link link, IPAddress? preferredSource = null) => new()
    {
        Destination = destination,
        LinkIndex = link.Index,
        Scope = IPAddressFamily.Of(destination.BaseAddress) == Libc.AF_INET ? RouteScope.Link : RouteScope.Universe,
        PreferredSource = preferredSource,
    };

    /// <summary>A route through a gateway.</summary>
    internal static Route Via(IPNetwork destination, Link link, IPAddress gateway) => new()
    {
        Destination = destination,
        LinkIndex = link.Index,
        Gateway = gateway,
    };

    /// <summary>Reads RTM_NEWROUTE and RTM_DELROUTE.</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out Route? route)
    {
        route = null;
        if (message.Type is not (Libc.RTM_NEWROUTE or Libc.RTM_DELROUTE)) return false;
        if (!message.TryRead(out rtmsg header, out NetlinkAttributeReader attributes)) return false;
        int size = IPAddressFamily.SizeOf(header.rtm_family);
        if (size == 0 || header.rtm_dst_len > 8 * size) return false;
        IPAddress? destination = null, gateway = null, source = null;
        int link = 0, mtu = 0;
        uint table = header.rtm_table, metric = 0;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.RTA_DST: attribute.TryRead(size, ref destination); break;
                case Libc.RTA_OIF: attribute.TryRead(ref link); break;
                case Libc.RTA_GATEWAY: attribute.TryRead(size, ref gateway); break;
                case Libc.RTA_PREFSRC: attribute.TryRead(size, ref source); break;
                case Libc.RTA_PRIORITY: attribute.TryRead(ref metric); break;
                case Libc.RTA_TABLE: attribute.TryRead(ref table); break;
                case Libc.RTA_METRICS: mtu = ReadMtu(attribute.Nested); break;
            }
        }
        if (attributes.IsMalformed || (destination is null && header.rtm_dst_len > 0)) return false;
        destination ??= size == 4 ? IPAddress.Any : IPAddress.IPv6Any;
        route = new()
        {
            Destination = IPAddressFamily.Network(destination, header.rtm_dst_len),
            LinkIndex = link,
            Gateway = gateway,
            IsOnLink = (header.rtm_flags & Libc.RTNH_F_ONLINK) != 0,
            Scope = (RouteScope)header.rtm_scope,
            Protocol = (RouteProtocol)header.rtm_protocol,
            Type = (RouteType)header.rtm_type,
            Table = table,
            PreferredSource = source,
            Metric = metric,
            Mtu = mtu,
            IsCached = (header.rtm_flags & Libc.RTM_F_CLONED) != 0,
        };
        return true;
    }

    private static int ReadMtu(NetlinkAttributeReader metrics)
    {
        int mtu = 0;
        while (metrics.TryRead(out NetlinkAttribute metric))
        {
            if (metric.Type == Libc.RTAX_MTU) metric.TryRead(ref mtu);
        }
        return mtu;
    }
}
