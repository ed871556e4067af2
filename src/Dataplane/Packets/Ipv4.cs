namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// The IPv4 header (RFC 791): offsets in bytes from its start, and reads of a header that is known to be there in full.
/// Values are in host order unless named raw.
/// </summary>
internal static unsafe class Ipv4
{
    internal const int MinHeaderLength = 20;
    internal const int MaxHeaderLength = 60;
    internal const int MaxLength = 65535;

    internal const int TosOffset = 1;
    internal const int TotalLengthOffset = 2;
    internal const int IdentificationOffset = 4;
    internal const int FragmentOffset = 6;
    internal const int TtlOffset = 8;
    internal const int ProtocolOffset = 9;
    internal const int ChecksumOffset = 10;
    internal const int SourceOffset = 12;
    internal const int DestinationOffset = 16;

    /// <summary>Bits of the 16-bit word at <see cref="FragmentOffset"/>.</summary>
    internal const ushort DontFragment = 0x4000;
    internal const ushort MoreFragments = 0x2000;

    /// <summary>Position of the fragment, in units of 8 bytes.</summary>
    internal const ushort FragmentPositionMask = 0x1FFF;

    /// <summary>The version nibble, which IPv6 has in the same place.</summary>
    internal static int Version(byte* packet) => packet[0] >> 4;

    /// <summary>Bytes of header with options, 0 to 60: the field may lie.</summary>
    internal static int HeaderLength(byte* header) => (header[0] & 0x0F) * 4;

    internal static int TotalLength(byte* header) => Wire.ReadUInt16(header + TotalLengthOffset);

    internal static ushort Identification(byte* header) => Wire.ReadUInt16(header + IdentificationOffset);

    /// <summary>Flags and fragment position in one word.</summary>
    internal static ushort FragmentWord(byte* header) => Wire.ReadUInt16(header + FragmentOffset);

    /// <summary>True for every part of a fragmented packet, the first one included.</summary>
    internal static bool IsFragment(byte* header) => (FragmentWord(header) & (MoreFragments | FragmentPositionMask)) != 0;

    internal static byte Ttl(byte* header) => header[TtlOffset];

    internal static byte Protocol(byte* header) => header[ProtocolOffset];

    internal static ushort RawChecksum(byte* header) => Wire.ReadRaw16(header + ChecksumOffset);

    internal static uint Source(byte* header) => Wire.ReadUInt32(header + SourceOffset);

    internal static uint Destination(byte* header) => Wire.ReadUInt32(header + DestinationOffset);

    /// <summary>True if the header checksum is right. The header must be there in full.</summary>
    internal static bool HasValidChecksum(byte* header) =>
        InternetChecksum.Fold(InternetChecksum.Sum(header, (nuint)HeaderLength(header))) == 0xFFFF;

    /// <summary>Computes and stores the header checksum.</summary>
    internal static void WriteChecksum(byte* header)
    {
        Wire.WriteRaw16(header + ChecksumOffset, 0);
        Wire.WriteRaw16(header + ChecksumOffset, InternetChecksum.Finish(InternetChecksum.Sum(header, (nuint)HeaderLength(header))));
    }

    /// <summary>Lowers the time to live by one and corrects the header checksum. The caller has refused 0 and 1 before.</summary>
    internal static void DecrementTtl(byte* header)
    {
        ushort before = Wire.ReadRaw16(header + TtlOffset);
        header[TtlOffset]--;
        Wire.WriteRaw16(header + ChecksumOffset,
            InternetChecksum.Update(RawChecksum(header), before, Wire.ReadRaw16(header + TtlOffset)));
    }
}
