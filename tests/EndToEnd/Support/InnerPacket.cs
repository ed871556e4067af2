using System.Buffers.Binary;
using System.Net;

namespace FlannelFast.EndToEnd.Support;

/// <summary>
/// An IPv4 packet with a UDP datagram inside, in which every field can be made wrong. Unset fields are right, so a test
/// changes one thing only.
/// </summary>
internal sealed record InnerPacket
{
    /// <summary>Source address.</summary>
    public string Source { get; init; } = "10.5.2.7";

    /// <summary>Destination address.</summary>
    public string Destination { get; init; } = "10.5.1.0";

    /// <summary>IP version.</summary>
    public int Version { get; init; } = 4;

    /// <summary>Time to live.</summary>
    public byte Ttl { get; init; } = 64;

    /// <summary>Header length in 32-bit words as the header claims it.</summary>
    public int? HeaderWords { get; init; }

    /// <summary>Total length as the header claims it.</summary>
    public int? TotalLength { get; init; }

    /// <summary>Flags and fragment offset.</summary>
    public ushort Fragment { get; init; }

    /// <summary>IP options, padded by the caller to a multiple of four bytes.</summary>
    public byte[] Options { get; init; } = [];

    /// <summary>XORed into the header checksum.</summary>
    public ushort ChecksumError { get; init; }

    /// <summary>Bytes of UDP payload.</summary>
    public int PayloadLength { get; init; } = 16;

    /// <summary>Bytes after the end of the packet.</summary>
    public int Trailer { get; init; }

    /// <summary>The bytes.</summary>
    public byte[] ToArray()
    {
        int header = 20 + Options.Length, length = header + 8 + PayloadLength;
        byte[] packet = new byte[length + Trailer];
        packet[0] = (byte)(Version << 4 | (HeaderWords ?? header / 4));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)(TotalLength ?? length));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), Fragment);
        packet[8] = Ttl;
        packet[9] = 17;
        IPAddress.Parse(Source).TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse(Destination).TryWriteBytes(packet.AsSpan(16), out _);
        Options.CopyTo(packet, 20);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), (ushort)(Checksum(packet.AsSpan(0, header)) ^ ChecksumError));

        Span<byte> udp = packet.AsSpan(header, 8 + PayloadLength);
        BinaryPrimitives.WriteUInt16BigEndian(udp, 4000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 4000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        // UDP checksum 0 means "none" (RFC 768): what is wrong shall be wrong in the IP header.
        return packet;
    }

    /// <summary>RFC 1071, word by word.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i++) sum += (uint)(i % 2 == 0 ? data[i] << 8 : data[i]);
        while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
