using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>
/// Over random bursts: cutting what was merged gives back every packet, each flow in its order, and exactly what the naive
/// coalescer merges is merged.
/// </summary>
public sealed unsafe class CoalescerPropertyTests
{
    /// <summary>A sender that mostly streams and now and then does everything else.</summary>
    private sealed class Flow(Random random, int number)
    {
        private PacketSpec _next = new()
        {
            Version = number % 3 == 0 ? 6 : 4,
            Protocol = number % 4 == 3 ? IpProtocol.Udp : IpProtocol.Tcp,
            SourceHost = (byte)(1 + number / 4),
            SourcePort = (ushort)(40000 + number),
            Fragment = number % 2 == 0 ? Ipv4.DontFragment : (ushort)0,
            Sequence = (uint)random.NextInt64(1L << 32),
            Options = number % 4 == 1 ? [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2] : [],
        };

        private int _size = random.Next(1, 200);

        internal byte[] Next()
        {
            int length = _size;
            byte flags = Tcp.Ack;
            PacketSpec once = _next;
            int change = random.Next(3) == 0 ? random.Next(26) : -1;
            switch (change)
            {
                case 0: length = random.Next(1, _size + 1); break;
                case 1: length = _size = random.Next(1, 300); break;
                case 2: flags |= Tcp.Psh; break;
                case 3: flags = (byte)random.Next(256); break;
                case 4: length = 0; break;
                case 5: _next = once = _next with { Sequence = _next.Sequence + (uint)random.Next(-300, 300) }; break;
                case 6: _next = once = _next with { Acknowledgment = _next.Acknowledgment + 1 }; break;
                case 7: _next = once = _next with { Window = (ushort)random.Next(65536) }; break;
                case 8: _next = once = _next with { Tos = (byte)random.Next(256) }; break;
                case 9: _next = once = _next with { Ttl = (byte)random.Next(1, 256) }; break;
                case 10: _next = once = _next with { Fragment = (ushort)(random.Next(4) << 14) }; break;
                case 11: _next = once = _next with { Id = (ushort)random.Next(65536) }; break;
                case 12: _next = once = _next with { FlowLabel = random.Next(1 << 20) }; break;
                case 13: once = _next with { Fragment = (ushort)(random.Next(2) << 14 | random.Next(1, 0x4000)) }; break;
                case 14: once = _next with { IpOptions = 8 * random.Next(1, 4) }; break;
                case 15: once = _next with { Reserved = (byte)random.Next(16) }; break;
                case 16: once = _next with { Urgent = 3 }; break;
                case 17 when _next.Options.Length > 0: _next = once = _next with { Options = [.. _next.Options[..^1], (byte)random.Next(4)] }; break;
            }
            byte[] payload = new byte[length];
            random.NextBytes(payload);
            once = once with { Flags = flags, Payload = payload };
            _next = _next with { Sequence = once.Sequence + (uint)length, Id = (ushort)(once.Id + 1) };

            byte[] packet = once.Build();
            switch (change)
            {
                case 18: packet[random.Next(once.IpHeaderLength, packet.Length)] ^= (byte)(1 << random.Next(8)); break;
                case 19 when once.Protocol == IpProtocol.Udp: packet[once.ChecksumField] = packet[once.ChecksumField + 1] = 0; break;
                case 20 when once.Version == 4:
                    packet[9] = (byte)random.Next(256);
                    fixed (byte* header = packet) Ipv4.WriteChecksum(header);
                    break;
            }
            return packet;
        }
    }

    private static List<byte[]> Burst(Random random, int flowCount, int length)
    {
        Flow[] flows = [.. Enumerable.Range(0, flowCount).Select(number => new Flow(random, number))];
        List<byte[]> packets = [];
        for (int flow = 0; packets.Count < length; flow = random.Next(flowCount))
        {
            for (int run = random.Next(1, 12); run > 0 && packets.Count < length; run--) packets.Add(flows[flow].Next());
        }
        return packets;
    }

    private static void AssertSamePackets(List<byte[]> burst, List<Frame> frames)
    {
        List<byte[]> output = [.. frames.SelectMany(frame => frame.IsPartial ? [frame.Bytes] : frame.Expand())];
        Assert.Equal(burst.Count, output.Count);
        Assert.Equal(burst.Count, frames.Sum(frame => frame.Packets));
        Assert.Equal(burst.Sum(packet => (long)packet.Length), frames.Sum(frame => frame.OriginalBytes));
        foreach (IGrouping<string, byte[]> flow in burst.GroupBy(packet => NaiveCoalescer.Flow(packet) ?? ""))
        {
            // Each flow together with all of its hosts that shows no ports: neither may overtake the other.
            bool Belongs(byte[] packet) => NaiveCoalescer.Flow(packet) is string other
                ? other == flow.Key : NaiveCoalescer.HasSameAddresses(packet, flow.First());
            Assert.Equal(burst.Where(Belongs).Select(NaiveCoalescer.Normalise), output.Where(Belongs).Select(NaiveCoalescer.Normalise));
        }
    }

    [Fact]
    public void Cut_again_every_burst_is_what_it_was_and_merging_is_as_good_as_the_naive_one()
    {
        using CoalescerHarness harness = new(slotSize: 1024);
        Random random = new(40);
        int packets = 0, frames = 0;
        for (int round = 0; round < 1000; round++)
        {
            List<byte[]> burst = Burst(random, random.Next(1, 9), random.Next(1, 80));
            List<Frame> result = harness.Run([.. burst]);
            AssertSamePackets(burst, result);
            Assert.Equal(NaiveCoalescer.Merge(burst).Select(group => group.Count), result.Select(frame => frame.Packets));
            packets += burst.Count;
            frames += result.Count;
        }
        // Else the bursts were nothing to merge, and the test would be empty.
        Assert.InRange(frames, packets / 4, packets * 3 / 4);
    }

    [Fact]
    public void With_far_too_few_flow_slots_merges_are_lost_but_no_packet_and_no_order()
    {
        using CoalescerHarness small = new(flowSlots: 1, slotSize: 1024), large = new(slotSize: 1024);
        Random random = new(41);
        int fewer = 0;
        for (int round = 0; round < 30; round++)
        {
            List<byte[]> burst = Burst(random, 60, 250);
            List<Frame> result = small.Run([.. burst]);
            AssertSamePackets(burst, result);
            fewer += result.Count - large.Run([.. burst]).Count;
        }
        Assert.True(fewer > 0);
    }

    [Fact]
    public void Many_flows_find_their_slots_whatever_the_seed()
    {
        const int Flows = 4096;
        byte[][] packets = new byte[2 * Flows][];
        for (int i = 0; i < packets.Length; i++)
        {
            packets[i] = GC.AllocateArray<byte>(140, pinned: true);
            PacketSpec spec = new() { SourcePort = (ushort)(i % Flows), Sequence = (uint)(100 * (i / Flows)), Payload = new byte[100] };
            spec.Build().CopyTo(packets[i], 0);
        }
        Random random = new(43);
        byte[] seed = new byte[16];
        for (int round = 0; round < 300; round++)
        {
            random.NextBytes(seed);
            // One in four ends in zero bits, which a multiplication hands on.
            if (round % 4 == 0) seed[8] = 0;
            Coalescer coalescer = new(2 * Flows, mergeTcp: true, mergeUdp: true, new Guid(seed), minFlowSlots: 4 * Flows);
            foreach (byte[] bytes in packets) fixed (byte* packet = bytes) coalescer.Add(packet, 140);
            // A quarter of the slots is taken: hardly a flow in a thousand may find eight of them full in a row.
            Assert.InRange(coalescer.ItemCount, Flows, Flows + 8);
        }
    }

    [Fact]
    public void Mutated_bytes_never_lead_too_far_and_every_packet_comes_out()
    {
        using CoalescerHarness harness = new(slotSize: 1024);
        Random random = new(42);
        for (int round = 0; round < 1500; round++)
        {
            List<byte[]> burst = Burst(random, 3, 40);
            for (int i = 0; i < burst.Count; i++)
            {
                if (random.Next(3) == 0) burst[i] = burst[i][..random.Next(1, burst[i].Length + 1)];
                for (int flips = random.Next(3); flips > 0; flips--)
                    burst[i][random.Next(Math.Min(burst[i].Length, 64))] = (byte)random.Next(256);
                // The one check that is relied on: who gathers computes the IPv4 header checksum anew.
                if (HasWholeIpv4Header(burst[i])) fixed (byte* header = burst[i]) Ipv4.WriteChecksum(header);
            }
            if (round % 2 == 0)
            {
                foreach (byte[] packet in burst)
                    if (random.Next(2) == 0) harness.Add(packet);
                    else harness.AddSuperPacket(packet, random.Next(-1, 300), 1);
                _ = harness.FinishUnchecked();
                continue;
            }
            List<byte[]> output = [.. harness.Run([.. burst]).SelectMany(frame => frame.IsPartial ? [frame.Bytes] : frame.Expand())];
            Assert.Equal(Sorted(burst), Sorted(output));
        }

        static IEnumerable<string> Sorted(List<byte[]> packets) =>
            packets.Select(packet => Convert.ToHexString(HasWholeIpv4Header(packet) ? NaiveCoalescer.Normalise(packet) : packet))
                .Order(StringComparer.Ordinal);

        static bool HasWholeIpv4Header(byte[] packet) =>
            packet.Length >= 20 && packet[0] >> 4 == 4 && (packet[0] & 15) >= 5 && (packet[0] & 15) * 4 <= packet.Length;
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        Random random = new(43);
        PacketSpec bulk = new() { Payload = new byte[1400] };
        List<byte[]> burst =
            [.. Burst(random, 8, 200), .. Enumerable.Range(0, 50).Select(i => (bulk with { Sequence = (uint)(i * 1400) }).Build())];
        byte[] super = new PacketSpec { Payload = new byte[5000] }.BuildPartial();
        Coalescer coalescer = new(burst.Count + 1, mergeTcp: true, mergeUdp: true);
        using GuardedMemory memory = new(burst.Sum(packet => packet.Length) + super.Length);
        iovec* iov = stackalloc iovec[Coalescer.MaxIovecs];
        int[] lengths = [.. burst.Select(packet => packet.Length)];
        long packets = 0, allocated = 0;
        for (int round = 0; round < 100; round++)
        {
            // Anew each time: gathering rewrites headers.
            byte* place = memory.Start;
            foreach (byte[] packet in burst)
            {
                packet.CopyTo(new Span<byte>(place, packet.Length));
                place += packet.Length;
            }
            super.CopyTo(new Span<byte>(place, super.Length));

            long before = GC.GetAllocatedBytesForCurrentThread();
            byte* next = memory.Start;
            for (int i = 0; i < lengths.Length; i++)
            {
                coalescer.Add(next, lengths[i]);
                next += lengths[i];
            }
            if (!coalescer.AddSuperPacket(next, super.Length, 1400, 4)) packets = long.MinValue;
            for (int item = 0; item < coalescer.ItemCount; item++)
            {
                _ = coalescer.Gather(item, iov, Coalescer.MaxIovecs, out int count);
                packets += count;
            }
            coalescer.Reset();
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
        Assert.Equal(0, allocated);
        Assert.Equal(100 * (burst.Count + 4), packets);
    }
}
