namespace FlannelFast.Dataplane.Packets;

/// <summary>The UDP header (RFC 768): offsets in bytes from its start, and reads. Values are in host order unless named raw.</summary>
internal static unsafe class Udp
{
    internal const int HeaderLength = 8;

    internal const int SourcePortOffset = 0;
    internal const int DestinationPortOffset = 2;
    internal const int LengthOffset = 4;
    internal const int ChecksumOffset = 6;

    /// <summary>Source port in the upper half, destination port in the lower. TCP has them in the same place.</summary>
    internal static uint Ports(byte* header) => Wire.ReadUInt32(header);

    internal static int Length(byte* header) => Wire.ReadUInt16(header + LengthOffset);

    internal static ushort RawChecksum(byte* header) => Wire.ReadRaw16(header + ChecksumOffset);
}
