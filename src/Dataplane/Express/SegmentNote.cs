using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// How long the segments of a super-packet in VXLAN were. A socket is told only of runs of datagrams (UDP_GRO: SKB_GSO_UDP_L4), not of TCP that GRO's VXLAN part merged; written to
/// the TUN without it, the packet is too long for whatever interface it is forwarded to. <see cref="SteeringProgram"/> therefore writes it over the source address of the
/// inner Ethernet header, of which the engine wants to know nothing but that it is not its own: a key, 32 bits, and the bytes of payload, 16 bits, both in memory order.
/// </summary>
internal static unsafe class SegmentNote
{
    /// <summary>From the first byte of the VXLAN header.</summary>
    internal const int Offset = 14;

    internal const int Size = 6;

    /// <summary>A key that nobody on the wire knows; never 0, which stands for none. See <see cref="Packets.Coalescer"/> for why a Guid.</summary>
    internal static uint NewKey() => BinaryPrimitives.ReadUInt32LittleEndian(Guid.NewGuid().ToByteArray()) | 1;

    /// <summary>The bytes of payload per segment; 0 where nothing is noted.</summary>
    /// <param name="key">The one notes are written with.</param>
    /// <param name="datagram">The VXLAN header.</param>
    /// <param name="length">Bytes of the datagram.</param>
    internal static int Read(uint key, byte* datagram, int length) =>
        length >= Offset + Size && key != 0 && Unsafe.ReadUnaligned<uint>(datagram + Offset) == key ? Unsafe.ReadUnaligned<ushort>(datagram + Offset + sizeof(uint)) : 0;
}
