using System.Diagnostics.CodeAnalysis;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>A network interface as the kernel described it at one moment.</summary>
internal sealed record Link
{
    /// <summary>The kernel's number: stays with the link while it lives, also when it is renamed, and is not used again soon.</summary>
    internal required int Index { get; init; }

    internal required string Name { get; init; }

    /// <summary>Bytes of the largest packet, without the link's own header.</summary>
    internal int Mtu { get; init; }

    /// <summary>IFF_… of net/if.h.</summary>
    internal uint Flags { get; init; }

    /// <summary>"tun", "veth", "vxlan", "bridge" …; null for physical links and loopback.</summary>
    internal string? Kind { get; init; }

    /// <summary>ARPHRD_… of linux/if_arp.h: what kind of header its packets have.</summary>
    internal ushort HardwareType { get; init; }

    /// <summary>
    /// How many have asked for every packet of the link, as tcpdump(8) does. Not a flag: IFF_PROMISC is told only of who set it as a flag
    /// (net/core/dev.c, dev_get_flags).
    /// </summary>
    internal int Promiscuity { get; init; }

    /// <summary>The Ethernet address; null where the link has none, or one of another length.</summary>
    internal MacAddress? Address { get; init; }

    /// <summary>What makes it a VXLAN device; null for other links.</summary>
    internal VxlanAttributes? Vxlan { get; init; }

    /// <summary>Packets the link's queueing discipline may hold (txqueuelen).</summary>
    internal int TransmitQueueLength { get; init; }

    /// <summary>Set up by the administrator.</summary>
    internal bool IsUp => (Flags & Libc.IFF_UP) != 0;

    /// <summary>Up and with a carrier, or with an owner that reads (TUN).</summary>
    internal bool IsRunning => (Flags & Libc.IFF_RUNNING) != 0;

    internal bool IsLoopback => (Flags & Libc.IFF_LOOPBACK) != 0;

    /// <summary>Its packets have Ethernet headers.</summary>
    internal bool IsEthernet => HardwareType == Libc.ARPHRD_ETHER;

    /// <summary>"eth0".</summary>
    public override string ToString() => Name;

    /// <summary>Reads RTM_NEWLINK and RTM_DELLINK.</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out Link? link)
    {
        link = null;
        if (message.Type is not (Libc.RTM_NEWLINK or Libc.RTM_DELLINK)) return false;
        if (!message.TryRead(out ifinfomsg header, out NetlinkAttributeReader attributes)) return false;
        // A bridge reports its ports to the same group, and a port that leaves as RTM_DELLINK of family AF_BRIDGE while the
        // link lives on (net/bridge/br_netlink.c, br_ifinfo_notify).
        if (header.ifi_family != Libc.AF_UNSPEC || header.ifi_index <= 0) return false;
        string? name = null, kind = null;
        VxlanAttributes? vxlan = null;
        MacAddress? address = null;
        int mtu = 0, queue = 0, promiscuity = 0;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.IFLA_IFNAME: name = attribute.Text; break;
                case Libc.IFLA_MTU: attribute.TryRead(ref mtu); break;
                case Libc.IFLA_TXQLEN: attribute.TryRead(ref queue); break;
                case Libc.IFLA_PROMISCUITY: attribute.TryRead(ref promiscuity); break;
                case Libc.IFLA_LINKINFO: kind = ReadKind(attribute.Nested, out vxlan); break;
                case Libc.IFLA_ADDRESS:
                    if (attribute.Value.Length == MacAddress.Size) address = MacAddress.Read(attribute.Value);
                    break;
            }
        }
        if (attributes.IsMalformed || string.IsNullOrEmpty(name)) return false;
        link = new()
        {
            Index = header.ifi_index,
            Name = name,
            Mtu = mtu,
            Flags = header.ifi_flags,
            HardwareType = header.ifi_type,
            Promiscuity = promiscuity,
            Kind = kind,
            Vxlan = vxlan,
            Address = address,
            TransmitQueueLength = queue,
        };
        return true;
    }

    private static string? ReadKind(NetlinkAttributeReader info, out VxlanAttributes? vxlan)
    {
        string? kind = null;
        vxlan = null;
        // The kernel writes the kind before its data (net/core/rtnetlink.c, rtnl_link_fill).
        while (info.TryRead(out NetlinkAttribute attribute))
        {
            if (attribute.Type == Libc.IFLA_INFO_KIND) kind = attribute.Text;
            else if (attribute.Type == Libc.IFLA_INFO_DATA && kind == "vxlan") vxlan = VxlanAttributes.Parse(attribute.Nested);
        }
        return kind;
    }
}
