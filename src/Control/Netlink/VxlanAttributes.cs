using System.Buffers.Binary;
using System.Net;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>What makes a link a VXLAN device (IFLA_VXLAN_… of linux/if_link.h). Equal by value.</summary>
internal sealed record VxlanAttributes
{
    /// <summary>0 to 2²⁴ - 1.</summary>
    internal required uint Vni { get; init; }

    /// <summary>Link the outer packets leave by; 0 leaves it to the routes.</summary>
    internal int LinkIndex { get; init; }

    /// <summary>Outer source address; null leaves it to the kernel.</summary>
    internal IPAddress? Local { get; init; }

    /// <summary>Multicast group or default destination; null for none.</summary>
    internal IPAddress? Group { get; init; }

    /// <summary>UDP destination port, which is also the one listened on.</summary>
    internal required int Port { get; init; }

    /// <summary>Outer TTL; 0 leaves it to the kernel.</summary>
    internal byte Ttl { get; init; }

    /// <summary>Outer TOS; 1 copies the inner one.</summary>
    internal byte Tos { get; init; }

    /// <summary>Source addresses of what arrives become forwarding entries.</summary>
    internal bool Learning { get; init; }

    /// <summary>Group based policy.</summary>
    internal bool Gbp { get; init; }

    /// <summary>Answers ARP from its own neighbour table.</summary>
    internal bool Proxy { get; init; }

    /// <summary>Route short circuit.</summary>
    internal bool Rsc { get; init; }

    /// <summary>Tells programs of unknown Ethernet addresses.</summary>
    internal bool L2Miss { get; init; }

    /// <summary>Tells programs of unknown IP addresses.</summary>
    internal bool L3Miss { get; init; }

    /// <summary>A device of the kind that takes VNI and destination from each packet.</summary>
    internal bool CollectMetadata { get; init; }

    /// <summary>Reads IFLA_INFO_DATA of a link of kind vxlan; null if it makes no sense.</summary>
    internal static VxlanAttributes? Parse(NetlinkAttributeReader attributes)
    {
        uint vni = 0;
        int link = 0;
        ushort port = 0;
        IPAddress? local = null, group = null;
        byte ttl = 0, tos = 0, learning = 0, proxy = 0, rsc = 0, l2Miss = 0, l3Miss = 0, metadata = 0;
        bool gbp = false;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.IFLA_VXLAN_ID: attribute.TryRead(ref vni); break;
                case Libc.IFLA_VXLAN_LINK: attribute.TryRead(ref link); break;
                case Libc.IFLA_VXLAN_LOCAL: attribute.TryRead(4, ref local); break;
                case Libc.IFLA_VXLAN_LOCAL6: attribute.TryRead(16, ref local); break;
                case Libc.IFLA_VXLAN_GROUP: attribute.TryRead(4, ref group); break;
                case Libc.IFLA_VXLAN_GROUP6: attribute.TryRead(16, ref group); break;
                case Libc.IFLA_VXLAN_PORT: attribute.TryRead(ref port); break;
                case Libc.IFLA_VXLAN_TTL: attribute.TryRead(ref ttl); break;
                case Libc.IFLA_VXLAN_TOS: attribute.TryRead(ref tos); break;
                case Libc.IFLA_VXLAN_LEARNING: attribute.TryRead(ref learning); break;
                case Libc.IFLA_VXLAN_PROXY: attribute.TryRead(ref proxy); break;
                case Libc.IFLA_VXLAN_RSC: attribute.TryRead(ref rsc); break;
                case Libc.IFLA_VXLAN_L2MISS: attribute.TryRead(ref l2Miss); break;
                case Libc.IFLA_VXLAN_L3MISS: attribute.TryRead(ref l3Miss); break;
                case Libc.IFLA_VXLAN_COLLECT_METADATA: attribute.TryRead(ref metadata); break;
                case Libc.IFLA_VXLAN_GBP: gbp = true; break;
            }
        }
        if (attributes.IsMalformed) return null;
        return new()
        {
            Vni = vni,
            LinkIndex = link,
            Local = local,
            Group = group,
            Port = BinaryPrimitives.ReverseEndianness(port),
            Ttl = ttl,
            Tos = tos,
            Learning = learning != 0,
            Gbp = gbp,
            Proxy = proxy != 0,
            Rsc = rsc != 0,
            L2Miss = l2Miss != 0,
            L3Miss = l3Miss != 0,
            CollectMetadata = metadata != 0,
        };
    }

    /// <summary>Writes what differs from the kernel's defaults, and all that the kernel would otherwise choose itself.</summary>
    internal void Write(ref NetlinkMessageBuilder message)
    {
        message.Add(Libc.IFLA_VXLAN_ID, Vni);
        if (LinkIndex != 0) message.Add(Libc.IFLA_VXLAN_LINK, LinkIndex);
        if (Local is not null) message.Add(IsIpv6(Local) ? Libc.IFLA_VXLAN_LOCAL6 : Libc.IFLA_VXLAN_LOCAL, Local);
        if (Group is not null) message.Add(IsIpv6(Group) ? Libc.IFLA_VXLAN_GROUP6 : Libc.IFLA_VXLAN_GROUP, Group);
        message.Add(Libc.IFLA_VXLAN_TTL, [Ttl]);
        message.Add(Libc.IFLA_VXLAN_TOS, [Tos]);
        Add(ref message, Libc.IFLA_VXLAN_LEARNING, Learning);
        Add(ref message, Libc.IFLA_VXLAN_PROXY, Proxy);
        Add(ref message, Libc.IFLA_VXLAN_RSC, Rsc);
        Add(ref message, Libc.IFLA_VXLAN_L2MISS, L2Miss);
        Add(ref message, Libc.IFLA_VXLAN_L3MISS, L3Miss);
        if (CollectMetadata) Add(ref message, Libc.IFLA_VXLAN_COLLECT_METADATA, true);
        message.Add(Libc.IFLA_VXLAN_PORT, [(byte)(Port >> 8), (byte)Port]);
        if (Gbp) message.Add(Libc.IFLA_VXLAN_GBP, []);
    }

    private static void Add(ref NetlinkMessageBuilder message, int type, bool value) => message.Add(type, [value ? (byte)1 : (byte)0]);

    private static bool IsIpv6(IPAddress address) => IPAddressFamily.Of(address) == Libc.AF_INET6;
}
