namespace FlannelFast.Dataplane.Packets;

internal sealed unsafe partial class Coalescer
{
    private enum Kind : byte
    {
        /// <summary>Nothing that is merged can be overtaken by it.</summary>
        Alone,

        /// <summary>Its flow is not told by ports in the usual place: fragments, options, extension headers, other protocols.</summary>
        WithoutPorts,

        /// <summary>Of a known flow, but never merged.</summary>
        Closing,

        /// <summary>May be merged, its checksum permitting.</summary>
        Candidate,
    }

    /// <summary>One packet, taken apart.</summary>
    private struct Segment
    {
        internal byte* Packet;
        internal int Length;

        // Sender and receiver, for what has no ports.
        internal ulong PairHash;
        internal ulong FlowHash;
        internal byte L4Offset;

        // With the L4 header; set for candidates.
        internal byte HeaderLength;
        internal byte Protocol;
        internal bool IsIpv4;
        internal bool Push;
    }

    private Kind Classify(byte* packet, int length, out Segment segment)
    {
        segment = default;
        segment.Packet = packet;
        segment.Length = length;
        if (length < Ipv4.MinHeaderLength) return Kind.Alone;

        int version = Ipv4.Version(packet);
        if (version == 4)
        {
            segment.IsIpv4 = true;
            segment.Protocol = Ipv4.Protocol(packet);
            segment.PairHash = FlowHash.Mix(Wire.ReadRaw64(packet + Ipv4.SourceOffset) ^ _seed0, _seed1);
            int headerLength = Ipv4.HeaderLength(packet);
            if (headerLength < Ipv4.MinHeaderLength || Ipv4.TotalLength(packet) != length || Ipv4.IsFragment(packet)
                || !TryLocateL4(ref segment, headerLength) || headerLength != Ipv4.MinHeaderLength) return Kind.WithoutPorts;
        }
        else if (version == 6 && length >= Ipv6.HeaderLength)
        {
            segment.Protocol = Ipv6.NextHeader(packet);
            byte* source = packet + Ipv6.SourceOffset, destination = packet + Ipv6.DestinationOffset;
            ulong hash = FlowHash.Mix(Wire.ReadRaw64(source) ^ _seed0, Wire.ReadRaw64(source + sizeof(ulong)) ^ _seed1);
            segment.PairHash = FlowHash.Mix(hash ^ Wire.ReadRaw64(destination), Wire.ReadRaw64(destination + sizeof(ulong)) ^ _seed0);
            if (Ipv6.PayloadLength(packet) + Ipv6.HeaderLength != length || !TryLocateL4(ref segment, Ipv6.HeaderLength))
                return Kind.WithoutPorts;
        }
        else
        {
            return Kind.Alone;
        }

        bool isTcp = segment.Protocol == IpProtocol.Tcp;
        if (!(isTcp ? _mergeTcp : _mergeUdp)) return Kind.Alone;
        byte* l4 = packet + segment.L4Offset;
        segment.FlowHash = FlowHash.Mix(segment.PairHash ^ Udp.Ports(l4), (ulong)segment.Protocol << 32 ^ _seed1);
        return (isTcp ? IsCandidateTcp(ref segment, l4) : IsCandidateUdp(ref segment, l4)) ? Kind.Candidate : Kind.Closing;
    }

    private static bool TryLocateL4(ref Segment segment, int ipHeaderLength)
    {
        int minimum = segment.Protocol switch
        {
            IpProtocol.Tcp => Tcp.MinHeaderLength,
            IpProtocol.Udp => Udp.HeaderLength,
            _ => int.MaxValue,
        };
        if (segment.Length - ipHeaderLength < minimum) return false;
        segment.L4Offset = (byte)ipHeaderLength;
        return true;
    }

    private static bool IsCandidateTcp(ref Segment segment, byte* tcp)
    {
        int headerLength = Tcp.HeaderLength(tcp);
        if (headerLength < Tcp.MinHeaderLength || segment.L4Offset + headerLength >= segment.Length) return false;
        segment.HeaderLength = (byte)(segment.L4Offset + headerLength);
        segment.Push = (Tcp.Flags(tcp) & Tcp.Psh) != 0;
        // The lower half of the data offset byte holds reserved bits and AccECN's AE flag, which segmentation would repeat.
        return (Tcp.Flags(tcp) & ~Tcp.Psh) == Tcp.Ack && (tcp[Tcp.DataOffset] & 0x0F) == 0;
    }

    private static bool IsCandidateUdp(ref Segment segment, byte* udp)
    {
        segment.HeaderLength = (byte)(segment.L4Offset + Udp.HeaderLength);
        // Without a checksum there is nothing to verify, and the segments of a super-packet would get one.
        return Udp.Length(udp) == segment.Length - segment.L4Offset && segment.HeaderLength < segment.Length && Udp.RawChecksum(udp) != 0;
    }
}
