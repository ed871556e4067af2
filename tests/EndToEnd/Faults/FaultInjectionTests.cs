using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Faults;

/// <summary>
/// The kernel refuses a system call of the packet loop, every second time, while traffic flows. The daemon goes on, counts what
/// was lost under the right name, and works as before when the fault is gone.
/// </summary>
public sealed class FaultInjectionTests
{
    /// <summary>A refused send costs packets, and nothing but packets.</summary>
    [Theory]
    [InlineData("ENOBUFS", "send_nobufs")]
    [InlineData("EIO", "send_failed")]
    [InlineData("EINVAL", "send_failed")]
    [InlineData("EMSGSIZE", "send_too_big")]
    [InlineData("EPERM", "send_denied")]
    [InlineData("ENETUNREACH", "send_unreachable")]
    public void Sending_is_refused(string error, string reason)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Torment(nodes, "sendmmsg", error);
        Assert.True(nodes.Daemons[0].Status().Egress.DropsFor(reason) > 0, $"{nodes.Daemons[0].Status().Egress}");
    }

    /// <summary>A refused write to the device costs packets of the other direction.</summary>
    [Theory]
    [InlineData("EIO", "tun_down")]
    [InlineData("ENOBUFS", "tun_full")]
    [InlineData("EAGAIN", "tun_full")]
    [InlineData("EINVAL", "tun_refused")]
    public void Writing_to_the_device_is_refused(string error, string reason)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Torment(nodes, "writev", error);
        Assert.True(nodes.Daemons[0].Status().Ingress.DropsFor(reason) > 0, $"{nodes.Daemons[0].Status().Ingress}");
    }

    /// <summary>What could not be received or sent right now is there a moment later: nothing is lost.</summary>
    [Theory]
    [InlineData("sendmmsg", "EAGAIN")]
    [InlineData("sendmmsg", "EINTR")]
    [InlineData("recvmmsg", "EAGAIN")]
    [InlineData("recvmmsg", "EINTR")]
    [InlineData("recvmmsg", "ENOMEM")]
    [InlineData("recvmmsg", "ECONNREFUSED")]
    [InlineData("readv", "EAGAIN")]
    [InlineData("readv", "EINTR")]
    [InlineData("readv", "EIO")]
    public void A_call_has_to_be_made_again(string call, string error)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Assert.Equal(PingsWhileTormented, Torment(nodes, call, error));
        DaemonStatus status = nodes.Daemons[0].Status();
        // The host's own IPv6 neighbour messages cannot leave through the udp encapsulation; they are no loss.
        Assert.Equal((0, 0), (status.Egress.Dropped - status.Egress.DropsFor("bad_version"), status.Ingress.Dropped));
    }

    /// <summary>A real firewall, not strace: the whole output to a peer is refused, then allowed again.</summary>
    [Fact]
    public void A_firewall_forbids_the_peer_for_a_while()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        nodes.One.Run("nft", "add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out udp dport 8285 drop");
        Assert.Equal(0, Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), 5));
        Assert.True(nodes.Daemons[0].Status().Egress.DropsFor("send_denied") >= 5, $"{nodes.Daemons[0].Status().Egress}");

        nodes.One.Run("nft", "delete table ip t");
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        nodes.Daemons[0].Status().AssertEveryPacketAccountedFor();
    }

    private const int PingsWhileTormented = 100;

    /// <summary>Pings while every second call fails; returns how many were answered meanwhile.</summary>
    private static int Torment(TwoNodes nodes, string call, string error)
    {
        Daemon daemon = nodes.Daemons[0];
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        int answered;
        using (FaultInjection fault = FaultInjection.Attach(nodes, daemon, call, error, step: 2))
        {
            answered = Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), PingsWhileTormented);
            fault.Detach();
            Assert.True(fault.Injected > 20, $"only {fault.Injected} calls of {call} were refused: this proves nothing");
        }

        Assert.True(daemon.IsRunning, daemon.Log);
        daemon.Status().AssertEveryPacketAccountedFor();
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 10_000_000);
        return answered;
    }
}
