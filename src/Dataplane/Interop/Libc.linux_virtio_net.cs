using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>
/// The header in front of every frame of a TUN queue with IFF_VNET_HDR: 10 bytes, host byte order
/// (linux/virtio_net.h, drivers/net/tun_vnet.h).
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
internal struct virtio_net_hdr
{
    internal byte flags;
    internal byte gso_type;
    internal ushort hdr_len;
    internal ushort gso_size;
    internal ushort csum_start;
    internal ushort csum_offset;
}

internal static unsafe partial class Libc
{
    internal const byte VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;
    internal const byte VIRTIO_NET_HDR_F_DATA_VALID = 2;
    internal const byte VIRTIO_NET_HDR_GSO_NONE = 0;
    internal const byte VIRTIO_NET_HDR_GSO_TCPV4 = 1;
    internal const byte VIRTIO_NET_HDR_GSO_TCPV6 = 4;

    /// <summary>UDP segmentation offload. Since Linux 6.2; older headers lack it.</summary>
    internal const byte VIRTIO_NET_HDR_GSO_UDP_L4 = 5;
    internal const byte VIRTIO_NET_HDR_GSO_ECN = 0x80;
}
