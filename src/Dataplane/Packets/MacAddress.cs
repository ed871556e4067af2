using System.Buffers.Binary;
using System.Globalization;

namespace FlannelFast.Dataplane.Packets;

/// <summary>An Ethernet address of 48 bits. The value holds the first byte on the wire in bits 47 to 40.</summary>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Bytes of an address on the wire.</summary>
    public const int Size = 6;

    /// <summary>As it lies in memory on the wire: the first byte in bits 7 to 0, bits 63 to 48 zero.</summary>
    internal ulong InMemory => BinaryPrimitives.ReverseEndianness(Value) >> 16;

    /// <summary>True for group addresses (the lowest bit of the first byte), broadcast among them.</summary>
    public bool IsMulticast => (Value >> 40 & 1) != 0;

    /// <summary>True for 00:00:00:00:00:00, which no interface has.</summary>
    public bool IsZero => Value == 0;

    /// <summary>Reads "aa:bb:cc:dd:ee:ff" or the same with dashes; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress mac)
    {
        mac = default;
        if (text.Length != 17) return false;
        ulong value = 0;
        for (int i = 0; i < Size; i++)
        {
            if (i > 0 && (text[3 * i - 1] is not (':' or '-') || text[3 * i - 1] != text[2])) return false;
            if (!byte.TryParse(text.Slice(3 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte b)) return false;
            value = value << 8 | b;
        }
        mac = new(value);
        return true;
    }

    /// <summary>Reads the address from its 6 bytes on the wire.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> wire)
    {
        ulong value = 0;
        foreach (byte b in wire[..Size]) value = value << 8 | b;
        return new(value);
    }

    /// <summary>Writes the 6 bytes as they stand on the wire.</summary>
    public void Write(Span<byte> wire)
    {
        for (int i = 0; i < Size; i++) wire[i] = (byte)(Value >> 8 * (5 - i));
    }

    /// <summary>"aa:bb:cc:dd:ee:ff", as flannel writes VtepMAC.</summary>
    public override string ToString()
    {
        Span<byte> wire = stackalloc byte[Size];
        Write(wire);
        return string.Create(CultureInfo.InvariantCulture,
            $"{wire[0]:x2}:{wire[1]:x2}:{wire[2]:x2}:{wire[3]:x2}:{wire[4]:x2}:{wire[5]:x2}");
    }
}
