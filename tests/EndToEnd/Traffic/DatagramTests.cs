using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>UDP through the overlay.</summary>
public sealed class DatagramTests
{
    [Theory]
    [InlineData("udp", nameof(Underlay.Veth))]
    [InlineData("vxlan", nameof(Underlay.Veth))]
    [InlineData("udp", nameof(Underlay.WireLike))]
    [InlineData("vxlan", nameof(Underlay.WireLike))]
    public void Every_size_arrives_intact_both_ways(string encap, string underlay)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap, Enum.Parse<Underlay>(underlay));
        DatagramExchange.EverySizeMustArriveIntact(nodes, 1, 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 2, 1);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 1, 2);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 2, 1);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_flow_is_never_reordered(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        DatagramExchange.OrderMustHold(nodes, 1, 2);
    }
}
