namespace FlannelFast.Dataplane.Engine;

/// <summary>One row of the drop table: the stable name used in status, metrics and docs, and one sentence for people.</summary>
/// <param name="Reason">The value counted by the engine.</param>
/// <param name="Name">Lower-case name with underscores; part of the public interface, never renamed.</param>
/// <param name="Description">One sentence that says what was wrong with the packet.</param>
public sealed record DropReasonInfo(DropReason Reason, string Name, string Description);

/// <summary>The one table of drop reasons. Counters, <c>status</c>, metrics and documentation are made from it.</summary>
public static class DropReasons
{
    /// <summary>How many values <see cref="DropReason"/> has, <see cref="DropReason.None"/> included: the length of a counter array.</summary>
    public const int Count = (int)DropReason.LaneFailed + 1;

    /// <summary>The stable name of a reason.</summary>
    public static string NameOf(DropReason reason) => All[(int)reason - 1].Name;

    /// <summary>All rows, in the order of the enum, without <see cref="DropReason.None"/>.</summary>
    public static IReadOnlyList<DropReasonInfo> All { get; } =
    [
        new(DropReason.Short, "short", "The datagram is shorter than the headers it must carry."),
        new(DropReason.TooBig, "too_big", "The datagram did not fit the receive buffer and was cut by the kernel."),
        new(DropReason.UnknownPeer, "unknown_peer", "The datagram came from an address that is no peer."),
        new(DropReason.WrongPort, "wrong_port", "The datagram came from a peer, but not from its tunnel port."),
        new(DropReason.BadFlags, "bad_flags", "The VXLAN header lacks the VNI flag or has a reserved bit set."),
        new(DropReason.WrongVni, "wrong_vni", "The VXLAN network identifier is not ours."),
        new(DropReason.WrongMac, "wrong_mac", "The inner Ethernet frame is addressed to another VTEP."),
        new(DropReason.Loop, "loop", "The inner Ethernet frame names ourselves as its sender."),
        new(DropReason.NotIp, "not_ip", "The inner Ethernet frame carries neither IPv4 nor IPv6."),
        new(DropReason.BadVersion, "bad_version", "The IP version is not one this tunnel carries, or contradicts the EtherType."),
        new(DropReason.BadHeaderLength, "bad_ihl", "The IPv4 header length is below 20 bytes or beyond the packet."),
        new(DropReason.BadLength, "bad_len", "The IP length is smaller than the headers or larger than what was received."),
        new(DropReason.BadChecksum, "bad_csum", "The IPv4 header checksum is wrong."),
        new(DropReason.BadOptions, "bad_options", "The IPv4 options have lengths that do not fit the header."),
        new(DropReason.SourceRoute, "srcroute", "The packet asks for loose or strict source routing."),
        new(DropReason.FragmentOverflow, "frag_overflow", "The fragment ends beyond the largest possible IPv4 packet."),
        new(DropReason.Ttl, "ttl", "The time to live is used up."),
        new(DropReason.BadSource, "bad_src", "The inner source can never be a sender: loopback, multicast, broadcast or reserved."),
        new(DropReason.BadDestination, "bad_dst", "The inner destination can never be a pod: loopback, link-local, multicast, broadcast or reserved."),
        new(DropReason.SpoofedSource, "spoof_src", "The inner source does not belong to the host that sent the packet."),
        new(DropReason.Reflected, "reflect", "The packet would come back: our own subnet as source from outside, or as destination from inside."),
        new(DropReason.NotForUs, "not_for_us", "The inner destination is not in our subnet."),
        new(DropReason.NoRoute, "no_route", "No peer owns the destination."),
        new(DropReason.BadVnetHeader, "bad_vnet", "The virtio-net header of the TUN frame contradicts the packet."),
        new(DropReason.SendNoBuffers, "send_nobufs", "The kernel had no buffer for the datagram (ENOBUFS, ENOMEM, or the socket stayed full)."),
        new(DropReason.SendTooBig, "send_too_big", "The datagram exceeds the MTU of the underlay interface (EMSGSIZE)."),
        new(DropReason.SendUnreachable, "send_unreachable", "The underlay has no way to the peer (ENETUNREACH, EHOSTUNREACH, ENETDOWN)."),
        new(DropReason.SendDenied, "send_denied", "A firewall or a prohibit route on this host refused the datagram (EPERM, EACCES)."),
        new(DropReason.SendFailed, "send_failed", "The kernel refused the datagram for another reason."),
        new(DropReason.TunDown, "tun_down", "The TUN device is down (EIO)."),
        new(DropReason.TunGone, "tun_gone", "The TUN device was deleted (EBADFD)."),
        new(DropReason.TunFull, "tun_full", "The kernel had no room for the frame (EAGAIN, ENOBUFS, ENOMEM)."),
        new(DropReason.TunRefused, "tun_refused", "The kernel refused the frame (EINVAL or another error)."),
        new(DropReason.LaneFailed, "lane_failed", "The kernel could not change the packet in the express lane (no memory)."),
    ];
}
