using BenchmarkDotNet.Attributes;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Tests.Packets;

namespace FlannelFast.Bench.Micro;

/// <summary>44 received packets merged for the TUN, checksums verified: of one TCP flow, of four interleaved ones, and 64-byte UDP. Times are per 44 packets.</summary>
public unsafe class CoalesceBenchmark : IValidated
{
    private const int Packets = 44;
    private const int Slot = 2_048;
    private readonly byte[] _received = GC.AllocateArray<byte>(Packets * Slot, pinned: true);
    private readonly byte[] _pristine = new byte[Packets * Slot];
    private readonly int[] _lengths = new int[Packets];
    private readonly iovec[] _iovs = GC.AllocateArray<iovec>(Coalescer.MaxIovecs, pinned: true);
    private readonly Coalescer _coalescer = new(Packets, mergeTcp: true, mergeUdp: true);

    /// <summary>What the burst consists of.</summary>
    public enum Burst
    {
        OneTcpFlow,
        FourTcpFlows,
        SmallUdp,
    }

    [Params(Burst.OneTcpFlow, Burst.FourTcpFlows, Burst.SmallUdp)]
    public Burst Traffic { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        int flows = Traffic == Burst.FourTcpFlows ? 4 : 1;
        List<byte[]> packets = [];
        for (int i = 0; i < Packets; i++)
        {
            var spec = new PacketSpec { SourcePort = (ushort)(40_000 + i % flows) };
            spec = Traffic == Burst.SmallUdp
                ? spec with { Protocol = IpProtocol.Udp, Payload = new byte[64] }
                : spec with { Sequence = (uint)(i / flows * 1_448), Payload = new byte[1_448] };
            packets.Add(spec.Build());
            packets[i].CopyTo(_pristine, i * Slot);
            _lengths[i] = packets[i].Length;
        }
        int expected = NaiveCoalescer.Merge(packets).Count;
        int written = Coalesce();
        if (expected != flows || written != expected) throw new InvalidOperationException($"{written} frames instead of {expected}");
    }

    /// <summary>Copies the burst first, as finalising writes to its headers: the copy is in the figures, some 3 us for full packets.</summary>
    [Benchmark]
    public int Coalesce()
    {
        _pristine.CopyTo(_received, 0);
        fixed (byte* received = _received)
        fixed (iovec* iovs = _iovs)
        {
            for (int i = 0; i < Packets; i++) _coalescer.Add(received + i * Slot, _lengths[i]);
            int frames = _coalescer.ItemCount;
            for (int i = 0; i < frames; i++) _coalescer.Gather(i, iovs, Coalescer.MaxIovecs, out _);
            _coalescer.Reset();
            return frames;
        }
    }
}
