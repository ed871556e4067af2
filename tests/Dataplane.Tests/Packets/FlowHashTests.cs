using System.Buffers.Binary;
using FlannelFast.Dataplane.Packets;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>One flow, one port; many flows, all ports alike.</summary>
public sealed unsafe class FlowHashTests
{
    private const int Ports = 32;
    private static readonly Guid s_seed = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod = Ip("10.5.2.9");

    /// <summary>How clients, servers and pods are numbered in practice: one thing counts up, all else stays.</summary>
    public static TheoryData<string> Populations => ["source port", "every second source port", "destination port", "destination address", "source address", "both ports", "ipv6 port", "ipv6 address", "pings"];

    [Theory, MemberData(nameof(Populations))]
    public void Many_flows_are_spread_evenly(string population)
    {
        const int Flows = 8192;
        foreach (int ports in (int[])[2, 3, 8, 32])
        {
            var counts = new int[ports];
            for (int i = 0; i < Flows; i++) counts[Choose(Flow(population, i), ports)]++;
            double expected = (double)Flows / ports, chiSquare = counts.Sum(count => (count - expected) * (count - expected) / expected);
            // The 99.9999 % point of the chi-square distribution is 24, 28, 41 and 89 for 1, 2, 7 and 31 degrees of freedom.
            double limit = ports switch { 2 => 24, 3 => 28, 8 => 41, _ => 89 };
            Assert.True(chiSquare < limit, $"{ports} ports: {chiSquare:f1}: {string.Join(" ", counts)}");
        }
    }

    [Fact]
    public void Packets_of_one_flow_are_alike_whatever_else_differs()
    {
        int port = Choose(Tcp4(s_us, s_pod, 1, 0x10, []), Ports);
        foreach (byte[] packet in (byte[][])[Tcp4(s_us, s_pod, 77_777, 0x18, new byte[1000], ttl: 3), TcpSuper(s_us, s_pod, 60_000, 1400)[VnetSize..]])
            Assert.Equal(port, Choose(packet, Ports));
        byte[] withOptions = Ipv4(s_us, s_pod, 6, Tcp4(s_us, s_pod, 1, 0x10, []).AsSpan(20), options: [1, 1, 1, 1]);
        Assert.Equal(port, Choose(withOptions, Ports));
    }

    /// <summary>Later fragments have no ports, so that the first one must not use them either.</summary>
    [Theory, InlineData((ushort)0x2000), InlineData((ushort)0x2001), InlineData((ushort)0x0001)]
    public void Fragments_go_by_addresses(ushort fragment)
    {
        int[] ports = [.. Enumerable.Range(0, 200).Select(i => Choose(Ipv4(s_us, s_pod, 17, Udp4(s_us, s_pod, new byte[64], sourcePort: i).AsSpan(20), fragment: fragment), Ports))];
        Assert.Single(ports.Distinct());
        Assert.Equal(ports[0], Choose(Ipv4(s_us, s_pod, 17, new byte[8], fragment: 0x00B9), Ports));
    }

    [Fact]
    public void Other_protocols_go_by_addresses()
    {
        var random = new Random(3);
        int[] ports = [.. Enumerable.Range(0, 200).Select(_ =>
        {
            byte[] payload = new byte[random.Next(200)];
            random.NextBytes(payload);
            return Choose(Ipv4(s_us, s_pod, 50, payload), Ports);
        })];
        Assert.Single(ports.Distinct());
    }

    /// <summary>A guard page lies behind the last byte.</summary>
    [Fact]
    public void Ports_that_are_cut_off_are_not_looked_for()
    {
        using var memory = new GuardedMemory(4096);
        foreach (byte protocol in (byte[])[6, 17])
        {
            int[] ports = [.. Enumerable.Range(0, 4).Select(length => Choose(memory, Ipv4(s_us, s_pod, protocol, new byte[length])))];
            Assert.Single(ports.Distinct());
            byte[] ipv6 = Udp6(1, 2, [])[..40];
            ipv6[6] = protocol;
            Assert.InRange(Choose(memory, ipv6), 0, Ports - 1);
        }
    }

    /// <summary>Nobody who does not know the seed can tell which flows meet.</summary>
    [Fact]
    public void Another_seed_is_another_order()
    {
        var random = new Random(5);
        int same = 0;
        for (int i = 0; i < 4000; i++)
        {
            byte[] bytes = new byte[16];
            random.NextBytes(bytes);
            // A neighbouring seed, the worst case.
            Guid seed = new(bytes);
            bytes[i % 16] ^= 1;
            byte[] one = Flow("source port", i), two = Flow("source port", i + 1);
            bool meet = Choose(one, 8, seed) == Choose(two, 8, seed), meetToo = Choose(one, 8, new(bytes)) == Choose(two, 8, new(bytes));
            if (meet && meetToo) same++;
        }
        // 1 in 64 by chance: 62.5, standard deviation 7.8.
        Assert.InRange(same, 20, 105);
    }

    [Fact]
    public void One_port_is_the_first() => Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(0, Choose(Flow("both ports", i), 1)));

    private static byte[] Flow(string population, int i) => population switch
    {
        "source port" => Tcp4(s_us, s_pod, 1, 2, [], sourcePort: 32_768 + i),
        "every second source port" => Tcp4(s_us, s_pod, 1, 2, [], sourcePort: 32_768 + 2 * i),
        "destination port" => Udp4(s_us, s_pod, [], destinationPort: i),
        "destination address" => Tcp4(s_us, s_pod + (uint)i, 1, 2, []),
        "source address" => Udp4(s_us + (uint)i, s_pod, []),
        "both ports" => Udp4(s_us, s_pod, [], sourcePort: i, destinationPort: i),
        "ipv6 port" => WithPort(Udp6(Ip6(7), Ip6(9), []), i),
        "ipv6 address" => Udp6(Ip6((uint)i), Ip6((uint)i), []),
        _ => Ipv4(s_us, s_pod + (uint)i, 1, new byte[8]),
    };

    private static byte[] WithPort(byte[] packet, int port)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(40), (ushort)port);
        return packet;
    }

    private static UInt128 Ip6(uint host) => new(0xFD00_0005_0000_0001, host);

    private static int Choose(byte[] packet, int count) => Choose(packet, count, s_seed);

    private static int Choose(byte[] packet, int count, Guid seed)
    {
        fixed (byte* bytes = packet) return new FlowHash(seed).Choose(bytes, packet.Length, packet[0] >> 4 == 6, count);
    }

    private static int Choose(GuardedMemory memory, byte[] packet) =>
        new FlowHash(s_seed).Choose(memory.PlaceAtEnd(packet), packet.Length, packet[0] >> 4 == 6, Ports);
}
