using System.Diagnostics.CodeAnalysis;
using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>Which host an Ethernet address is behind: an entry of a VXLAN device's forwarding database. Equal by value.</summary>
/// <param name="LinkIndex">The device.</param>
/// <param name="Mac">The inner destination; zero for what no other entry matches.</param>
/// <param name="Destination">The outer destination; null where the entry has none (of a bridge, or a next hop group).</param>
internal sealed record FdbEntry(int LinkIndex, MacAddress Mac, IPAddress? Destination)
{
    /// <summary>What the kernel knows of it; only permanent entries were set by somebody.</summary>
    internal NeighbourState State { get; init; } = NeighbourState.Permanent;

    /// <summary>Has nothing but the two addresses: no port, VNI, link or next hop group of its own. What flannel writes is plain.</summary>
    internal bool IsPlain { get; init; } = true;

    /// <summary>"02:00:00:00:00:02 dst 192.0.2.2".</summary>
    public override string ToString() => Destination is null ? $"{Mac}" : $"{Mac} dst {Destination}";

    /// <summary>Reads RTM_NEWNEIGH and RTM_DELNEIGH of family AF_BRIDGE, as far as the device itself holds the entry (NTF_SELF).</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out FdbEntry? entry)
    {
        entry = null;
        if (message.Type is not (Libc.RTM_NEWNEIGH or Libc.RTM_DELNEIGH)) return false;
        if (!message.TryRead(out ndmsg header, out NetlinkAttributeReader attributes)) return false;
        if (header.ndm_family != Libc.AF_BRIDGE || header.ndm_ifindex <= 0 || (header.ndm_flags & Libc.NTF_SELF) == 0) return false;
        IPAddress? destination = null;
        MacAddress mac = default;
        bool hasMac = false, isPlain = true;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.NDA_DST: attribute.TryRead(attribute.Value.Length, ref destination); break;
                case Libc.NDA_LLADDR: hasMac = attribute.TryReadMac(ref mac); break;
                case Libc.NDA_PORT or Libc.NDA_VNI or Libc.NDA_IFINDEX or Libc.NDA_SRC_VNI or Libc.NDA_NH_ID: isPlain = false; break;
            }
        }
        if (attributes.IsMalformed || !hasMac) return false;
        // bridge(8) says NUD_NOARP too where flannel says NUD_PERMANENT alone: the same to the device.
        NeighbourState state = (NeighbourState)header.ndm_state;
        if (state.HasFlag(NeighbourState.Permanent)) state = NeighbourState.Permanent;
        entry = new(header.ndm_ifindex, mac, destination) { State = state, IsPlain = isPlain };
        return true;
    }
}
