using System.Diagnostics;
using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// How one frame read from the TUN becomes wire packets: super-packets are cut as the kernel's own segmentation cuts them
/// (tcp_gso_segment, __udp_gso_segment, inet_gso_segment), postponed checksums are finished, all else is copied.
/// </summary>
/// <remarks>
/// Borrows the frame: it must stay valid and unchanged until the last <see cref="Write"/>. The IP header must be final before
/// <see cref="TryCreate"/> (TTL lowered), for its sum is taken there. Packets may be written in any order and more than once.
/// </remarks>
internal unsafe partial struct SegmentPlan
{
    private enum Work : byte
    {
        Copy,
        FinishChecksum,
        SegmentTcp,
        SegmentUdp,
    }

    private byte* _packet;
    private int _length;

    // Bytes in front of what is cut: all headers of a super-packet; what the postponed checksum does not cover otherwise.
    private int _headerLength;
    private int _l4Offset;
    private int _checksumOffset;
    private int _segmentSize;
    private Work _work;
    private bool _isIpv4;

    // Sums of what is the same in every segment: the IPv4 header, and the pseudo-header with the L4 header.
    private ulong _ipSum;
    private ulong _l4Sum;
    private uint _sequence;
    private ushort _identification;
    private ushort _tcpFlagsWord;

    /// <summary>Number of wire packets, at least 1. A super-packet may hold more than the 64 segments of one UDP_SEGMENT send.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes of wire packet <paramref name="index"/>, from the IP header on.</summary>
    internal readonly int LengthOf(int index)
    {
        Debug.Assert((uint)index < (uint)Count);
        return index < Count - 1 ? _headerLength + _segmentSize : _length - index * _segmentSize;
    }

    /// <summary>
    /// Writes wire packet <paramref name="index"/>, complete with all checksums: <see cref="LengthOf"/> bytes, not one more.
    /// <paramref name="destination"/> must not overlap the frame.
    /// </summary>
    internal readonly void Write(int index, byte* destination)
    {
        Debug.Assert((uint)index < (uint)Count);
        switch (_work)
        {
            case Work.Copy:
                // Not memmove: from some 2 KiB on it turns to "rep movsb", which can fall to a twentieth of the
                // speed for source and destination that are not aligned alike (measured once 3.5 against 69 GB/s at 16 KiB).
                _ = InternetChecksum.CopyAndSum(destination, _packet, (nuint)_length);
                break;
            case Work.FinishChecksum:
                WriteFinished(destination);
                break;
            default:
                WriteSegment(index, destination);
                break;
        }
    }

    private readonly void WriteFinished(byte* destination)
    {
        Unsafe.CopyBlockUnaligned(destination, _packet, (uint)_headerLength);
        // The field itself is part of the sum: it holds the pseudo-header's (virtio 1.2 section 5.1.6.2).
        ulong sum = InternetChecksum.CopyAndSum(destination + _headerLength, _packet + _headerLength, (nuint)(_length - _headerLength));
        WriteChecksum(destination + _headerLength, sum);
    }

    private readonly void WriteSegment(int index, byte* destination)
    {
        int start = index * _segmentSize;
        int total = LengthOf(index);
        byte* l4 = destination + _l4Offset;

        Unsafe.CopyBlockUnaligned(destination, _packet, (uint)_headerLength);
        ulong sum = _l4Sum + InternetChecksum.CopyAndSum(
            destination + _headerLength, _packet + _headerLength + start, (nuint)(total - _headerLength));

        ushort l4Length = Wire.Swap((ushort)(total - _l4Offset));
        sum += l4Length;
        if (_work == Work.SegmentTcp)
        {
            uint sequence = Wire.Swap(_sequence + (uint)start);
            ushort flags = _tcpFlagsWord;
            if (index > 0) flags &= Wire.Swap(unchecked((ushort)~Tcp.Cwr));
            if (index < Count - 1) flags &= Wire.Swap(unchecked((ushort)~(Tcp.Fin | Tcp.Psh)));
            Wire.WriteRaw32(l4 + Tcp.SequenceOffset, sequence);
            Wire.WriteRaw16(l4 + Tcp.DataOffset, flags);
            sum += (ulong)sequence + flags;
        }
        else
        {
            Wire.WriteRaw16(l4 + Udp.LengthOffset, l4Length);
            sum += l4Length;
        }
        WriteChecksum(l4, sum);
        WriteIpLength(index, destination, total);
    }

    private readonly void WriteChecksum(byte* l4, ulong sum)
    {
        ushort checksum = InternetChecksum.Finish(sum);
        // In UDP a stored zero means "no checksum" (RFC 768), and in IPv6 a packet to drop (RFC 8200 section 8.1).
        if (checksum == 0 && _checksumOffset == Udp.ChecksumOffset) checksum = 0xFFFF;
        Wire.WriteRaw16(l4 + _checksumOffset, checksum);
    }

    private readonly void WriteIpLength(int index, byte* destination, int total)
    {
        if (!_isIpv4)
        {
            Wire.WriteUInt16(destination + Ipv6.PayloadLengthOffset, (ushort)(total - Ipv6.HeaderLength));
            return;
        }
        ushort length = Wire.Swap((ushort)total);
        ushort identification = Wire.Swap((ushort)(_identification + index));
        Wire.WriteRaw16(destination + Ipv4.TotalLengthOffset, length);
        Wire.WriteRaw16(destination + Ipv4.IdentificationOffset, identification);
        Wire.WriteRaw16(destination + Ipv4.ChecksumOffset, InternetChecksum.Finish(_ipSum + length + identification));
    }
}
