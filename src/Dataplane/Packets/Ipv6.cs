namespace FlannelFast.Dataplane.Packets;

/// <summary>The fixed IPv6 header (RFC 8200): offsets in bytes from its start, and reads. Values are in host order.</summary>
internal static unsafe class Ipv6
{
    internal const int HeaderLength = 40;

    internal const int PayloadLengthOffset = 4;
    internal const int NextHeaderOffset = 6;
    internal const int HopLimitOffset = 7;
    internal const int SourceOffset = 8;
    internal const int DestinationOffset = 24;
    internal const int AddressLength = 16;

    /// <summary>Bytes after the fixed header; 0 also stands for a jumbogram.</summary>
    internal static int PayloadLength(byte* header) => Wire.ReadUInt16(header + PayloadLengthOffset);

    internal static byte NextHeader(byte* header) => header[NextHeaderOffset];

    internal static byte HopLimit(byte* header) => header[HopLimitOffset];

    /// <summary>Version, traffic class and flow label as they lie in memory.</summary>
    internal static uint RawFlowWord(byte* header) => Wire.ReadRaw32(header);
}
