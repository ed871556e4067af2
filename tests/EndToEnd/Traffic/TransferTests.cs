using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>What goes in comes out, byte by byte, whatever the engine merged and cut on the way.</summary>
public sealed class TransferTests
{
    private const long Bytes = 200_000_000;

    [Theory]
    [InlineData("udp", nameof(Underlay.Veth))]
    [InlineData("udp", nameof(Underlay.WireLike))]
    [InlineData("vxlan", nameof(Underlay.Veth))]
    [InlineData("vxlan", nameof(Underlay.WireLike))]
    public void A_tcp_stream_arrives_intact_both_ways(string encap, string underlay)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap, Enum.Parse<Underlay>(underlay));
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes, seed: 2);
        foreach (Daemon daemon in nodes.Daemons) daemon.Status().AssertEveryPacketAccountedFor();
    }

    /// <summary>Every switch off, one by one and all: the steps down lose nothing.</summary>
    [Theory]
    [InlineData("udp", "--tun-offloads")]
    [InlineData("udp", "--udp-segment")]
    [InlineData("udp", "--udp-gro")]
    [InlineData("udp", "--coalesce")]
    [InlineData("vxlan", "--tun-offloads")]
    [InlineData("vxlan", "--udp-segment")]
    [InlineData("vxlan", "--udp-gro")]
    [InlineData("vxlan", "--coalesce")]
    [InlineData("vxlan", "--tun-offloads", "--udp-segment", "--udp-gro")]
    public void A_tcp_stream_arrives_intact_without_an_optimisation(string encap, params string[] switches)
    {
        using TwoNodes nodes = TwoNodes.Create();
        string[] off = [.. switches.SelectMany(s => (string[])[s, "off"])];
        nodes.StartDaemon(1, encap, off);
        nodes.StartDaemon(2, encap, off);
        foreach (string name in switches.Select(s => s[2..].Replace('-', '_')).Where(n => n != "tun_offloads"))
            Assert.DoesNotContain(name, nodes.Daemons[0].Status().CapabilitiesInUse);

        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes / 10);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes / 10, seed: 2);
    }

    /// <summary>One daemon with everything, the other with nothing: each understands the other's wire.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_plain_and_an_optimised_node_understand_each_other(string encap)
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, encap);
        nodes.StartDaemon(2, encap, "--tun-offloads", "off", "--udp-segment", "off", "--udp-gro", "off");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes / 10);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes / 10, seed: 2);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Several_queues_carry_several_streams(string encap)
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, encap, "--queues", "2");
        nodes.StartDaemon(2, encap, "--queues", "2");
        for (int seed = 0; seed < 4; seed++)
        {
            TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes / 20, seed);
            TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes / 20, seed);
        }
        foreach (Daemon daemon in nodes.Daemons) daemon.Status().AssertEveryPacketAccountedFor();
    }
}
