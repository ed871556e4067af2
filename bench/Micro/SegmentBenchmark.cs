using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Tests.Packets;

namespace FlannelFast.Bench.Micro;

/// <summary>One TCP super-packet of 64 KiB cut into complete segments of 1,448 bytes of payload, 12 bytes of options. Times are per super-packet.</summary>
public unsafe class SegmentBenchmark : IValidated
{
    private const int SegmentSize = 1_448;
    private readonly byte[] _super = GC.AllocateArray<byte>(65_536, pinned: true);
    private readonly byte[] _wire = GC.AllocateArray<byte>(80_000, pinned: true);
    private virtio_net_hdr _header;
    private int _length;

    [GlobalSetup]
    public void Setup()
    {
        byte[] payload = new byte[44 * SegmentSize];
        new Random(1).NextBytes(payload);
        var spec = new PacketSpec { Options = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8], Payload = payload };
        byte[] packet = spec.BuildPartial();
        _length = packet.Length;
        packet.CopyTo(_super, 0);
        _header = new()
        {
            flags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM,
            gso_type = Libc.VIRTIO_NET_HDR_GSO_TCPV4,
            gso_size = SegmentSize,
            hdr_len = 52,
            csum_start = 20,
            csum_offset = 16,
        };
        Segment();
        int at = 0;
        foreach (byte[] expected in NaiveSegmenter.Segment(spec, SegmentSize))
        {
            if (!_wire.AsSpan(at, expected.Length).SequenceEqual(expected)) throw new InvalidOperationException($"the segment at {at} is wrong: its length field says {BinaryPrimitives.ReadUInt16BigEndian(_wire.AsSpan(at + 2))}");
            at += expected.Length;
        }
    }

    [Benchmark]
    public int Segment()
    {
        fixed (byte* super = _super, wire = _wire)
        {
            if (!SegmentPlan.TryCreate(_header, super, _length, out SegmentPlan plan)) return -1;
            int at = 0;
            for (int i = 0; i < plan.Count; i++)
            {
                plan.Write(i, wire + at);
                at += plan.LengthOf(i);
            }
            return at;
        }
    }
}
