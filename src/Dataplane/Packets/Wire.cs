using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// Unaligned reads and writes of header fields. "Raw" values keep the order of their bytes in memory (what checksums are
/// summed over), all others are numbers in host order whose bytes on the wire are big-endian.
/// </summary>
internal static unsafe class Wire
{
    internal static ushort ReadRaw16(byte* field) => Unsafe.ReadUnaligned<ushort>(field);

    internal static uint ReadRaw32(byte* field) => Unsafe.ReadUnaligned<uint>(field);

    internal static ulong ReadRaw64(byte* field) => Unsafe.ReadUnaligned<ulong>(field);

    internal static void WriteRaw16(byte* field, ushort raw) => Unsafe.WriteUnaligned(field, raw);

    internal static void WriteRaw32(byte* field, uint raw) => Unsafe.WriteUnaligned(field, raw);

    internal static ushort ReadUInt16(byte* field) => Swap(ReadRaw16(field));

    internal static uint ReadUInt32(byte* field) => Swap(ReadRaw32(field));

    internal static void WriteUInt16(byte* field, ushort value) => WriteRaw16(field, Swap(value));

    internal static void WriteUInt32(byte* field, uint value) => WriteRaw32(field, Swap(value));

    /// <summary>Host order to raw, and back: the same operation.</summary>
    internal static ushort Swap(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <inheritdoc cref="Swap(ushort)"/>
    internal static uint Swap(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
