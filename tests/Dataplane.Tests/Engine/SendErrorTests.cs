using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>What the kernel may answer to sendmmsg, one by one: nothing else of the batch may suffer.</summary>
public sealed class SendErrorTests
{
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9"), s_pod3 = Ip("10.5.3.9");

    [Theory]
    [InlineData(Errno.ENETUNREACH, "send_unreachable")]
    [InlineData(Errno.EHOSTUNREACH, "send_unreachable")]
    [InlineData(Errno.ENETDOWN, "send_unreachable")]
    [InlineData(Errno.EPERM, "send_denied")]
    [InlineData(Errno.EACCES, "send_denied")]
    [InlineData(Errno.EIO, "send_failed")]
    [InlineData(Errno.EINVAL, "send_failed")]
    [InlineData(Errno.EMSGSIZE, "send_too_big")]
    public void An_error_about_one_peer_costs_only_its_own_packet(int errno, string reason)
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[8])));
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod3, new byte[8])));
        rig.Host.SendErrors.Enqueue(errno);
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Egress.Drops[reason]);
        Assert.Equal(1, status.Egress.Forwarded);
        Assert.Single(rig.Host.UdpOut);
    }

    [Theory]
    [InlineData(Errno.EIO, false)]
    [InlineData(Errno.EINVAL, true)]
    [InlineData(Errno.EMSGSIZE, true)]
    public void A_refused_run_is_sent_again_one_by_one_and_loses_nothing(int errno, bool stays)
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 10_000, gsoSize: 1400));
        rig.Host.SendErrors.Enqueue(errno);
        WorkerStatus status = rig.Run();
        Assert.Equal(8, status.Egress.Forwarded);
        Assert.Equal(1, status.GsoFallbacks);
        Assert.Equal(8, rig.Host.Messages.Count);
        Assert.All(rig.Host.Messages, message => Assert.Equal(0, message.SegmentSize));
        Assert.Equal(stays, rig.Worker.UsesUdpSegment);
        Assert.All(rig.Host.UdpOut, datagram => Assert.True(ChecksumsAreRight(datagram.Payload)));
    }

    [Fact]
    public void After_eight_refusals_in_a_row_runs_are_not_tried_again()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 9; i++)
        {
            if (i < 8) rig.Host.SendErrors.Enqueue(Errno.EINVAL);
            rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 2800, gsoSize: 1400));
            rig.Burst();
        }
        WorkerStatus status = rig.Run();
        Assert.False(rig.Worker.UsesUdpSegment);
        Assert.Equal(8, status.GsoFallbacks);
        Assert.Equal(18, status.Egress.Forwarded);
    }

    [Fact]
    public void Refusals_with_successes_between_are_not_a_row()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 20; i++)
        {
            if (i % 2 == 0) rig.Host.SendErrors.Enqueue(Errno.EINVAL);
            rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 2800, gsoSize: 1400));
            rig.Burst();
        }
        Assert.Equal(10, rig.Run().GsoFallbacks);
        Assert.True(rig.Worker.UsesUdpSegment);
    }

    [Fact]
    public void A_peer_whose_route_refuses_everything_does_not_cost_the_others_their_runs()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 20; i++)
        {
            // A blackhole route answers EINVAL to the run and to each of its two datagrams.
            for (int call = 0; call < 3; call++) rig.Host.SendErrors.Enqueue(Errno.EINVAL);
            rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 2800, gsoSize: 1400));
            rig.Burst();
        }
        Assert.Equal(40, rig.Run().Egress.Drops["send_failed"]);
        Assert.True(rig.Worker.UsesUdpSegment);
    }

    [Fact]
    public void Without_udp_segment_everything_goes_singly_and_in_order()
    {
        using var rig = Rigs.Udp(options => options with { UdpSegment = false });
        int[] sizes = [100, 100, 40, 100, 300, 300, 20];
        foreach (int size in sizes) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[size])));
        WorkerStatus status = rig.Run();
        Assert.Equal(sizes, rig.Host.UdpOut.Select(datagram => datagram.Payload.Length - 28));
        Assert.Equal(0, status.GsoFallbacks);
    }

    [Fact]
    public void Full_queues_cost_the_tail_of_the_batch_and_no_time()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 4; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, i % 2 == 0 ? s_pod2 : s_pod3, new byte[10 + i])));
        rig.Host.SendLimit = 1;
        rig.Host.SendErrors.Enqueue(0);
        rig.Host.SendErrors.Enqueue(Errno.ENOBUFS);
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Egress.Forwarded);
        Assert.Equal(3, status.Egress.Drops["send_nobufs"]);
        Assert.Equal(0, rig.Host.WaitWritableCalls);
    }

    [Fact]
    public void A_full_socket_is_waited_for()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[8])));
        for (int i = 0; i < 3; i++) rig.Host.SendErrors.Enqueue(Errno.EAGAIN);
        Assert.Equal(1, rig.Run().Egress.Forwarded);
        Assert.Equal(3, rig.Host.WaitWritableCalls);
    }

    [Fact]
    public void A_socket_that_stays_full_is_given_up()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 2800, gsoSize: 1400));
        for (int i = 0; i < 1000; i++) rig.Host.SendErrors.Enqueue(Errno.EAGAIN);
        Assert.Equal(2, rig.Run().Egress.Drops["send_nobufs"]);
        Assert.InRange(rig.Host.WaitWritableCalls, 1, 20);
    }

    [Fact]
    public void Somebody_elses_pending_error_is_not_ours()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[8])));
        rig.Host.SendErrors.Enqueue(Errno.ECONNREFUSED);
        Assert.Equal(1, rig.Run().Egress.Forwarded);
    }

    [Fact]
    public void Short_counts_are_resumed_at_the_right_message()
    {
        using var rig = Rigs.Udp();
        rig.Host.SendLimit = 3;
        int[] sizes = [.. Enumerable.Range(100, 30)];
        foreach (int size in sizes) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[size])));
        Assert.Equal(30, rig.Run().Egress.Forwarded);
        Assert.Equal(sizes, rig.Host.UdpOut.Select(datagram => datagram.Payload.Length - 28));
    }

    [Fact]
    public void Refused_single_datagrams_of_a_run_are_counted_one_by_one()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 5600, gsoSize: 1400));
        rig.Host.SendErrors.Enqueue(Errno.EIO);
        rig.Host.SendErrors.Enqueue(Errno.EPERM);
        WorkerStatus status = rig.Run();
        Assert.Equal(3, status.Egress.Forwarded);
        Assert.Equal(1, status.Egress.Drops["send_denied"]);
    }
}
