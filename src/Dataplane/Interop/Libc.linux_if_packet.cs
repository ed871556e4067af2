namespace FlannelFast.Dataplane.Interop;

/// <summary>Address of a packet socket (packet(7)).</summary>
internal unsafe struct sockaddr_ll
{
    internal ushort sll_family;
    internal ushort sll_protocol;
    internal int sll_ifindex;
    internal ushort sll_hatype;
    internal byte sll_pkttype;
    internal byte sll_halen;
    internal fixed byte sll_addr[8];
}

/// <summary>Since the last look.</summary>
internal struct tpacket_stats
{
    internal uint tp_packets;
    internal uint tp_drops;
}

internal static unsafe partial class Libc
{
    internal const int PACKET_STATISTICS = 6;
    internal const int PACKET_VNET_HDR = 15;
    internal const int PACKET_IGNORE_OUTGOING = 23;
}
