using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>VXLAN from several source ports: a flow keeps its socket and its order, and each socket fails for itself.</summary>
public sealed class SourcePortTests
{
    private const int Sources = 8;
    private static readonly Guid s_seed = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9"), s_pod3 = Ip("10.5.3.9");

    [Fact]
    public void Each_flow_has_one_source_and_keeps_its_order_and_all_sources_are_used()
    {
        using WorkerRig<Vxlan> rig = Rig();
        for (int i = 0; i < 2000; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, i % 3 == 0 ? s_pod3 : s_pod2, BitConverter.GetBytes(i), sourcePort: 1000 + i % 100)));
        rig.Run();
        Assert.Equal(2000, rig.Host.UdpOut.Count);
        Assert.Equal(Enumerable.Range(0, Sources), rig.Host.UdpOut.Select(d => d.Source).Distinct().Order());
        foreach (IGrouping<(uint, int), Datagram> flow in rig.Host.UdpOut.GroupBy(d => (d.Address, PortOf(d))))
        {
            Assert.Single(flow.Select(d => d.Source).Distinct());
            int[] numbers = [.. flow.Select(d => BitConverter.ToInt32(d.Payload, 22 + 28))];
            Assert.Equal(numbers.Order(), numbers);
        }
    }

    /// <summary>The common case: whatever one flow sends costs not one call more than from one port.</summary>
    [Fact]
    public void One_flow_costs_the_calls_and_messages_that_it_costs_from_one_port()
    {
        (int Calls, List<(int Length, int SegmentSize)> Messages)[] costs = [.. ((int[])[1, Sources]).Select(sources =>
        {
            using WorkerRig<Vxlan> rig = Rig(sources);
            var random = new Random(1);
            for (int i = 0; i < 500; i++)
                rig.Host.TunIn.Enqueue(i % 2 == 0 ? TcpSuper(s_us, s_pod2, random.Next(1, 60_000), 1400) : WithVnet(Tcp4(s_us, s_pod2, 1, 0x10, new byte[random.Next(3) * 100])));
            rig.Run();
            return (rig.Host.SendCalls.Count, rig.Host.Messages);
        })];
        Assert.Equal(costs[0].Calls, costs[1].Calls);
        Assert.Equal(costs[0].Messages, costs[1].Messages);
    }

    [Fact]
    public void A_burst_takes_one_call_for_each_source_and_one_run_for_each_peer_and_source()
    {
        using WorkerRig<Vxlan> rig = Rig();
        int[] flows = Flows(s_pod2);
        for (int i = 0; i < 60; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[50], sourcePort: flows[i % 3])));
        rig.Burst();
        Assert.Equal([(0, 1), (1, 1), (2, 1)], rig.Host.SendCalls.Order());
        Assert.All(rig.Host.Messages, message => Assert.Equal((20 * 100, 100), message));
    }

    [Theory, InlineData(1, 1), InlineData(3, 1), InlineData(EngineOptions.MaxSourcePorts, 2)]
    public void Short_counts_and_many_runs_lose_and_reorder_nothing(int limit, int seed)
    {
        using WorkerRig<Vxlan> rig = Rig(EngineOptions.MaxSourcePorts);
        rig.Host.SendLimit = limit;
        var random = new Random(seed);
        for (int i = 0; i < 3000; i++)
        {
            byte[] payload = new byte[4 + random.Next(8)];
            BitConverter.TryWriteBytes(payload, i);
            rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, random.Next(2) == 0 ? s_pod3 : s_pod2, payload, sourcePort: random.Next(200))));
        }
        Assert.Equal(3000, rig.Run().Egress.Forwarded);
        foreach (IGrouping<(uint, int), Datagram> flow in rig.Host.UdpOut.GroupBy(d => (d.Address, PortOf(d))))
        {
            int[] numbers = [.. flow.Select(d => BitConverter.ToInt32(d.Payload, 22 + 28))];
            Assert.Equal(numbers.Order(), numbers);
        }
    }

    [Fact]
    public void The_udp_format_has_one_port_whatever_the_options_say()
    {
        using WorkerRig<IpInUdp> rig = Rigs.Udp(options => options with { SourcePorts = Sources });
        for (int i = 0; i < 200; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, [1], sourcePort: i)));
        rig.Run();
        Assert.All(rig.Host.SendCalls, call => Assert.Equal(0, call.Source));
        Assert.Equal(200, rig.Host.UdpOut.Count);
    }

    [Theory]
    [InlineData(Errno.ENOBUFS, "send_nobufs")]
    [InlineData(Errno.ENOMEM, "send_nobufs")]
    [InlineData(Errno.EAGAIN, "send_nobufs")]
    [InlineData(Errno.EPERM, "send_denied")]
    [InlineData(Errno.ENETUNREACH, "send_unreachable")]
    [InlineData(Errno.EINVAL, "send_failed")]
    public void A_socket_that_fails_costs_its_own_packets_and_no_others(int errno, string reason)
    {
        using WorkerRig<Vxlan> rig = Rig();
        int[] flows = Flows(s_pod2);
        rig.Host.SourceError = source => source == 2 ? errno : 0;
        foreach (int flow in flows) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[9], sourcePort: flow)));
        foreach (int flow in Flows(s_pod3)) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod3, new byte[9], sourcePort: flow)));
        WorkerStatus status = rig.Run();
        // Its runs to both peers.
        Assert.Equal(2, status.Egress.Drops[reason]);
        Assert.Equal(2 * Sources - 2, status.Egress.Forwarded);
        Assert.All(rig.Host.WaitedFor, source => Assert.Equal(2, source));
        Assert.Equal(errno == Errno.EAGAIN, rig.Host.WaitWritableCalls > 0);
        Assert.Equal([reason], status.Egress.Drops.Keys);
    }

    [Fact]
    public void However_many_sockets_are_full_the_other_direction_waits_no_longer()
    {
        using WorkerRig<Vxlan> rig = Rig();
        int[] flows = Flows(s_pod2);
        rig.Host.SourceError = _ => Errno.EAGAIN;
        foreach (int flow in flows) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[9], sourcePort: flow)));
        WorkerStatus status = rig.Run();
        Assert.Equal(Sources, status.Egress.Drops["send_nobufs"]);
        Assert.InRange(rig.Host.WaitWritableCalls, 1, 10);
    }

    [Fact]
    public void A_refused_run_goes_singly_from_its_own_socket()
    {
        using WorkerRig<Vxlan> rig = Rig();
        int[] flows = Flows(s_pod2);
        for (int i = 0; i < 12; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, BitConverter.GetBytes(i), sourcePort: flows[4 + i % 2])));
        rig.Host.SendErrors.Enqueue(0);
        rig.Host.SendErrors.Enqueue(Errno.EMSGSIZE);
        rig.Host.SendLimit = 5;
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.GsoFallbacks);
        Assert.Equal([4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5], rig.Host.UdpOut.Select(d => d.Source));
        Assert.Equal([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11], rig.Host.UdpOut.Select(d => BitConverter.ToInt32(d.Payload, 22 + 28)));
    }

    [Fact]
    public void Ipv6_flows_are_spread_too()
    {
        using WorkerRig<Vxlan> rig = Rig();
        for (uint i = 0; i < 200; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp6(new(0xFD00_0001_0000_0000, i), new(0xFD00_0002_0000_0000, 9), [1])));
        rig.Run();
        Assert.Equal(Sources, rig.Host.UdpOut.Select(d => d.Source).Distinct().Count());
    }

    private static WorkerRig<Vxlan> Rig(int sources = Sources) => Rigs.Vxlan(change: options => options with { SourcePorts = sources, FlowSeed = s_seed });

    private static int PortOf(Datagram datagram) => System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(datagram.Payload.AsSpan(22 + 20));

    /// <summary>For each source an inner port to this pod that leaves from it.</summary>
    private static int[] Flows(uint pod) => [.. Enumerable.Range(0, Sources).Select(source => Enumerable.Range(1000, 1000).First(port => SourceOf(pod, port) == source))];

    private static unsafe int SourceOf(uint pod, int port)
    {
        byte[] packet = Udp4(s_us, pod, [], sourcePort: port);
        fixed (byte* bytes = packet) return new FlowHash(s_seed).Choose(bytes, packet.Length, false, Sources);
    }
}
