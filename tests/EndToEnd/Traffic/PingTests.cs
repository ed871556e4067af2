using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>The first thing anybody tries.</summary>
public sealed class PingTests
{
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Both_nodes_reach_each_other(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), count: 50);
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1), count: 50);
    }

    [Theory, InlineData("udp", 1472), InlineData("vxlan", 1450)]
    public void A_packet_of_exactly_the_mtu_passes_and_one_byte_more_does_not(string encap, int mtu)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap, Underlay.WireLike);
        const int Headers = 20 + 8;
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10, "-M", "do", "-s", $"{mtu - Headers}");
        Assert.Equal(0, Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), 3, "-M", "do", "-s", $"{mtu - Headers + 1}"));
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Fragments_of_a_large_packet_pass(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap, Underlay.WireLike);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10, "-M", "dont", "-s", "20000");
    }

    /// <summary>flannel's udp proxy takes one off at each end (proxy_amd64.c); a VXLAN is one link and takes none.</summary>
    [Theory, InlineData("udp", 62), InlineData("vxlan", 64)]
    public void The_time_to_live_falls_as_with_flannel(string encap, int expected)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        CommandResult ping = nodes.One.Run("ping", "-c", "1", TwoNodes.OverlayAddress(2));
        Assert.Contains($"ttl={expected} ", ping.Output, StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(2)]
    public void A_packet_whose_time_is_up_is_reported_to_its_sender(int ttl)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        CommandResult ping = nodes.One.Try("ping", "-c", "1", "-W", "1", "-t", $"{ttl}", TwoNodes.OverlayAddress(2));
        Assert.Contains("Time to live exceeded", ping.Output, StringComparison.Ordinal);
        Daemon where = nodes.Daemons[ttl - 1];
        Assert.Equal(1, (ttl == 1 ? where.Status().Egress : where.Status().Ingress).DropsFor("ttl"));
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_destination_without_a_host_is_reported_to_its_sender(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        CommandResult ping = nodes.One.Try("ping", "-c", "1", "-W", "1", "10.5.9.9");
        Assert.Contains("Destination Net Unreachable", ping.Output, StringComparison.Ordinal);
        Assert.Equal(1, nodes.Daemons[0].Status().Egress.DropsFor("no_route"));
    }
}
