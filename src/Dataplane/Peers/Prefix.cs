using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>A subnet as plain numbers in host order. IPv4 addresses stand in the low 32 bits.</summary>
/// <param name="IsIpv6">The family; prefixes of different families never overlap.</param>
/// <param name="First">The first address.</param>
/// <param name="Length">The prefix length, 0 to <see cref="Bits"/>.</param>
// Sequential layout would pad it from 32 to 48 bytes.
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Prefix(bool IsIpv6, UInt128 First, int Length)
{
    /// <summary>Bits of an address of this family.</summary>
    internal int Bits => IsIpv6 ? 128 : 32;

    /// <summary>Set where the addresses of the subnet agree.</summary>
    // A shift by all 128 bits would shift by none (C# masks the count), hence the case for length 0.
    internal UInt128 Mask => Length == 0 ? 0 : (IsIpv6 ? UInt128.MaxValue : uint.MaxValue) & (UInt128.MaxValue << (Bits - Length));

    /// <summary>The last address.</summary>
    internal UInt128 Last => First | (~Mask & (IsIpv6 ? UInt128.MaxValue : uint.MaxValue));

    /// <summary>Reads a subnet. An IPv4-mapped one (::ffff:a.b.c.d, length 96 or more) becomes the IPv4 subnet it means.</summary>
    internal static Prefix From(IPNetwork network)
    {
        IPAddress first = network.BaseAddress;
        return first.IsIPv4MappedToIPv6 && network.PrefixLength >= 96
            ? new(false, ToNumber(first.MapToIPv4()), network.PrefixLength - 96)
            : new(first.AddressFamily == AddressFamily.InterNetworkV6, ToNumber(first), network.PrefixLength);
    }

    /// <summary>An address as a number in host order.</summary>
    internal static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out int length)) throw new ArgumentException($"{address} is no IP address");
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>True when one of the two contains the other: prefixes overlap in no other way.</summary>
    internal bool Overlaps(Prefix other)
    {
        if (IsIpv6 != other.IsIpv6) return false;
        Prefix shorter = Length <= other.Length ? this : other;
        return ((First ^ other.First) & shorter.Mask) == 0;
    }

    /// <summary>The subnet in the form the rest of the program speaks.</summary>
    internal IPNetwork ToNetwork()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, First);
        return new(new IPAddress(IsIpv6 ? bytes : bytes[12..]), Length);
    }
}
