namespace FlannelFast.Dataplane.Packets;

/// <summary>The TCP header (RFC 9293): offsets in bytes from its start, and reads. Values are in host order unless named raw.</summary>
internal static unsafe class Tcp
{
    internal const int MinHeaderLength = 20;

    internal const int SequenceOffset = 4;
    internal const int AcknowledgmentOffset = 8;
    internal const int DataOffset = 12;
    internal const int FlagsOffset = 13;
    internal const int WindowOffset = 14;
    internal const int ChecksumOffset = 16;
    internal const int UrgentOffset = 18;
    internal const int OptionsOffset = 20;

    internal const byte Fin = 0x01;
    internal const byte Syn = 0x02;
    internal const byte Rst = 0x04;
    internal const byte Psh = 0x08;
    internal const byte Ack = 0x10;
    internal const byte Urg = 0x20;
    internal const byte Ece = 0x40;
    internal const byte Cwr = 0x80;

    /// <summary>Bytes of header with options, 0 to 60: the field may lie.</summary>
    internal static int HeaderLength(byte* header) => (header[DataOffset] >> 4) * 4;

    internal static uint Sequence(byte* header) => Wire.ReadUInt32(header + SequenceOffset);

    internal static byte Flags(byte* header) => header[FlagsOffset];

    internal static ushort RawChecksum(byte* header) => Wire.ReadRaw16(header + ChecksumOffset);
}
