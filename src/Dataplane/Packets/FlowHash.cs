namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// Lays flows on a few source ports, so that receivers, routers and bonds that only see the outer header can tell them apart (RFC 7348 section 5;
/// udp_flow_src_port in the kernel). A flow is what has the same addresses, protocol and ports; its packets always get the same number, which keeps
/// their order. Fragments, of which only the first has ports, and other protocols than TCP and UDP are told apart by addresses and protocol alone.
/// </summary>
internal readonly unsafe struct FlowHash
{
    /// <summary>2^64 divided by the golden ratio, which is odd: spreads neighbours.</summary>
    private const ulong GoldenRatio = 0x9E37_79B9_7F4A_7C15;

    private readonly ulong _seed0;
    private readonly ulong _seed1;

    /// <param name="seed">Random, or a pod that knows the function could lay all its flows on the port of another's.</param>
    internal FlowHash(Guid seed) => (_seed0, _seed1) = Halves(seed);

    /// <summary>A seed as the two numbers that <see cref="Mix"/> takes.</summary>
    internal static (ulong First, ulong Second) Halves(Guid seed)
    {
        ReadOnlySpan<ulong> halves = System.Runtime.InteropServices.MemoryMarshal.Cast<Guid, ulong>(new ReadOnlySpan<Guid>(in seed));
        return (halves[0], halves[1]);
    }

    /// <summary>Chooses one of <paramref name="count"/> numbers from 0 for a packet.</summary>
    /// <param name="packet">The IP packet, its fixed header checked.</param>
    /// <param name="length">Bytes of the packet; nothing behind is looked at.</param>
    /// <param name="ipv6">It is IPv6.</param>
    /// <param name="count">1 or more.</param>
    internal int Choose(byte* packet, int length, bool ipv6, int count)
    {
        ulong hash = ipv6 ? OfIpv6(packet, length) : OfIpv4(packet, length);
        // The upper half: a multiplication moves bits up.
        return (int)((hash >> 32) * (uint)count >> 32);
    }

    /// <summary>
    /// Both halves of the 128-bit product. Not yet good for a table: with a second factor that ends in zero bits the lower bits of the result hardly
    /// depend on the lower ones of the first. That is what <see cref="Spread"/> is for.
    /// </summary>
    internal static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    /// <summary>A mixed number as 32 bits of which any are good for a table. An odd factor loses nothing, and carries each bit into all above it.</summary>
    internal static uint Spread(ulong mixed) => (uint)(mixed * GoldenRatio >> 32);

    private ulong OfIpv4(byte* packet, int length)
    {
        byte protocol = Ipv4.Protocol(packet);
        int headerLength = Ipv4.IsFragment(packet) ? length : Ipv4.HeaderLength(packet);
        return Finish(Wire.ReadRaw64(packet + Ipv4.SourceOffset), Transport(packet, length, headerLength, protocol));
    }

    private ulong OfIpv6(byte* packet, int length)
    {
        ulong source = Mix(Wire.ReadRaw64(packet + Ipv6.SourceOffset) ^ _seed0, Wire.ReadRaw64(packet + Ipv6.SourceOffset + 8) ^ _seed1);
        ulong destination = Mix(Wire.ReadRaw64(packet + Ipv6.DestinationOffset) ^ _seed1, Wire.ReadRaw64(packet + Ipv6.DestinationOffset + 8) ^ _seed0);
        // Rotated, or equal halves would cancel each other out.
        return Finish(source ^ ulong.RotateLeft(destination, 23), Transport(packet, length, Ipv6.HeaderLength, Ipv6.NextHeader(packet)));
    }

    /// <summary>The protocol, and the ports where they are.</summary>
    private static ulong Transport(byte* packet, int length, int headerLength, byte protocol)
    {
        ulong transport = (ulong)protocol << 32;
        return protocol is IpProtocol.Tcp or IpProtocol.Udp && headerLength + sizeof(uint) <= length
            ? transport | Wire.ReadRaw32(packet + headerLength) : transport;
    }

    private ulong Finish(ulong addresses, ulong transport) => Mix(Mix(addresses ^ _seed0, transport ^ _seed1) ^ _seed1, GoldenRatio);
}
