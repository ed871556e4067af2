using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Uncut TCP whose segments nobody knows is cut to fit the device, and nothing else is.</summary>
public sealed class CoalescerFitTests : IDisposable
{
    private readonly CoalescerHarness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Theory, InlineData(4, 0), InlineData(4, 4), InlineData(4, 40), InlineData(6, 0)]
    public void Segments_are_the_longest_that_fit(int version, int ipOptions)
    {
        foreach (int mtu in (int[])[576, 1280, 1450, 1472, 8950, 65_000])
        {
            for (int options = 0; options <= 40; options += 4)
            {
                PacketSpec spec = new() { Version = version, IpOptions = ipOptions, Options = [.. Enumerable.Range(1, options).Select(i => (byte)i)] };
                int size = LongestThatFits(spec, mtu), most = 65_535 - spec.HeaderLength;
                foreach (int payload in (int[])[size + 1, 2 * size - 1, 2 * size, 2 * size + 1, 5 * size + size / 2, most])
                {
                    if (payload > most) continue;
                    PacketSpec super = spec with { Payload = Noise(payload) };
                    Assert.Equal(size, _harness.AddFitted(super.BuildPartial(), mtu));
                    Frame frame = Assert.Single(_harness.Finish());
                    Assert.True(frame.IsSuperPacket);
                    Assert.Equal(NaiveSegmenter.Segment(super, size), frame.Expand());
                    Assert.Equal(mtu, frame.Expand().Max(packet => packet.Length));
                }
            }
        }
    }

    /// <summary>One byte more and it is a super-packet.</summary>
    [Theory, InlineData(4), InlineData(6)]
    public void What_fits_stays_one_packet(int version)
    {
        foreach (int mtu in (int[])[576, 1450, 65_000])
        {
            PacketSpec spec = new() { Version = version, Options = new byte[12] };
            foreach ((int length, bool isSuper) in ((int, bool)[])[(mtu - 1, false), (mtu, false), (mtu + 1, true)])
            {
                byte[] packet = (spec with { Payload = Noise(length - spec.HeaderLength) }).BuildPartial();
                Assert.Equal(isSuper, _harness.AddFitted(packet, mtu) > 0);
                Assert.Equal(isSuper, Assert.Single(_harness.Finish()).IsSuperPacket);
            }
        }
    }

    /// <summary>Each as it came, for the kernel and path MTU discovery to judge.</summary>
    [Theory, InlineData(4), InlineData(6)]
    public void Nothing_else_is_cut(int version)
    {
        PacketSpec tcp = new() { Version = version, Payload = Noise(5000) }, udp = tcp with { Protocol = IpProtocol.Udp };
        byte[] wrong = tcp.Build();
        wrong[^1] ^= 1;
        List<(string What, byte[] Packet)> cases =
        [
            ("complete checksum", tcp.Build()),
            ("wrong checksum", wrong),
            ("a datagram", udp.BuildPartial()),
            ("a datagram with a complete checksum", udp.Build()),
            (version == 4 ? "fragment" : "extension header", (version == 4 ? tcp with { Fragment = 0x2000 } : tcp with { IpOptions = 8 }).BuildPartial()),
        ];
        if (version == 4) cases.Add(("last fragment", (tcp with { Fragment = 100 }).BuildPartial()));
        for (int words = 0; words < 5; words++)
        {
            byte[] packet = tcp.BuildPartial();
            packet[tcp.IpHeaderLength + 12] = (byte)(words << 4);
            cases.Add(($"TCP header of {words} words", packet));
        }
        foreach ((string what, byte[] packet) in cases)
        {
            Assert.True(_harness.AddFitted(packet, 1450) == 0, what);
            Assert.Equal(packet, Assert.Single(_harness.FinishUnchecked()).Bytes);
        }
    }

    /// <summary>Hostile lengths over memory whose end may not be crossed, down to MTUs that do not hold the headers.</summary>
    [Fact]
    public void Nothing_is_read_beyond_the_packet()
    {
        var random = new Random(1);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] packet = new byte[random.Next(40, 140)];
            random.NextBytes(packet);
            bool ipv4 = random.Next(2) == 0;
            packet[0] = (byte)(ipv4 ? 0x45 + random.Next(6) : 0x60);
            packet[ipv4 ? 9 : 6] = IpProtocol.Tcp;
            if (ipv4) packet[6] = packet[7] = 0;
            int header = ipv4 ? (packet[0] & 15) * 4 : 40, mtu = random.Next(20, 140);
            if (header + 20 <= packet.Length)
            {
                int sum = SlowChecksum.PseudoHeader(packet, IpProtocol.Tcp, packet.Length - header);
                (packet[header + 16], packet[header + 17]) = ((byte)(sum >> 8), (byte)sum);
            }
            int size = _harness.FitSegment(packet, mtu);
            Assert.InRange(size, 0, Math.Max(0, mtu - header - 20));
            if (size > 0) Assert.Equal(mtu, header + (packet[header + 12] >> 4) * 4 + size);
            _harness.Finish();
        }
    }

    [Fact]
    public void A_flow_keeps_its_order_around_it()
    {
        PacketSpec spec = new() { Payload = Noise(1000) };
        _harness.AddFitted(spec.Build(), 1450);
        _harness.AddFitted((spec with { Sequence = 2000 }).Build(), 1450);
        _harness.AddFitted((spec with { Sequence = 3000, Payload = Noise(10_000) }).BuildPartial(), 1450);
        _harness.AddFitted((spec with { Sequence = 13_000 }).Build(), 1450);
        _harness.AddFitted((spec with { Sequence = 14_000 }).Build(), 1450);
        List<Frame> frames = _harness.Finish();
        Assert.Equal([2, 8, 2], frames.Select(frame => frame.Packets));
        Assert.Equal([1000u, 3000u, 13_000u], frames.Select(frame => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(frame.Bytes.AsSpan(24))));
    }

    /// <summary>By trying, from the longest on.</summary>
    private static int LongestThatFits(PacketSpec spec, int mtu)
    {
        int size = mtu;
        while ((spec with { Payload = new byte[size] }).BuildPartial().Length > mtu) size--;
        return size;
    }

    private static byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
