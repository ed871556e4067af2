using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>
/// The kernel's own VXLAN device on both nodes, through the same instruments. When these fail, it is the tests or the machine
/// that is broken, not FlannelFast.
/// </summary>
public sealed class ControlGroupTests
{
    [Fact]
    public void The_kernel_carries_everything_the_tests_send()
    {
        using TwoNodes nodes = TwoNodes.Create();
        KernelVxlan.Create(nodes, 1);
        KernelVxlan.Create(nodes, 2);

        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 20_000_000);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 1, 2);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 1, 2);
        DatagramExchange.OrderMustHold(nodes, 1, 2);
        Assert.InRange(Iperf.TcpGigabits(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2)), 0.1, 1000);
    }

    [Fact]
    public void Without_an_overlay_nothing_arrives()
    {
        using TwoNodes nodes = TwoNodes.Create();
        Assert.NotEqual(0, nodes.One.Try("ping", "-c", "1", "-W", "0.2", TwoNodes.OverlayAddress(2)).ExitCode);
    }

    [Fact]
    public void A_snapshot_of_a_host_shows_what_was_made_and_its_end()
    {
        using TwoNodes nodes = TwoNodes.Create();
        HostState before = HostState.Of(nodes.One);
        KernelVxlan.Create(nodes, 1);
        Assert.NotEqual(before, HostState.Of(nodes.One));
        nodes.One.Ip("link", "del", KernelVxlan.Device);
        HostState.Of(nodes.One).MustBe(before);
    }
}
