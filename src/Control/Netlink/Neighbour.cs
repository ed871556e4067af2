using System.Diagnostics.CodeAnalysis;
using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>Which Ethernet address an IP address on a link has: an entry of the ARP or of the IPv6 neighbour table. Equal by value.</summary>
/// <param name="LinkIndex">The link.</param>
/// <param name="Address">IPv4 or IPv6, without a scope id.</param>
/// <param name="Mac">Zero where the entry has none (not resolved).</param>
/// <param name="State">What the kernel knows of it.</param>
internal sealed record Neighbour(int LinkIndex, IPAddress Address, MacAddress Mac, NeighbourState State = NeighbourState.Permanent)
{
    /// <summary>"10.5.2.0 lladdr 02:00:00:00:00:02".</summary>
    public override string ToString() => Mac.IsZero ? $"{Address}" : $"{Address} lladdr {Mac}";

    /// <summary>Reads RTM_NEWNEIGH and RTM_DELNEIGH of IPv4 and IPv6; proxy entries and those of a <see cref="FdbEntry"/> are none.</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out Neighbour? neighbour)
    {
        neighbour = null;
        if (message.Type is not (Libc.RTM_NEWNEIGH or Libc.RTM_DELNEIGH)) return false;
        if (!message.TryRead(out ndmsg header, out NetlinkAttributeReader attributes)) return false;
        int size = IPAddressFamily.SizeOf(header.ndm_family);
        if (size == 0 || header.ndm_ifindex <= 0 || (header.ndm_flags & Libc.NTF_PROXY) != 0) return false;
        IPAddress? address = null;
        MacAddress mac = default;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.NDA_DST: attribute.TryRead(size, ref address); break;
                case Libc.NDA_LLADDR: attribute.TryReadMac(ref mac); break;
            }
        }
        if (attributes.IsMalformed || address is null) return false;
        neighbour = new(header.ndm_ifindex, address, mac, (NeighbourState)header.ndm_state);
        return true;
    }
}
