using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary>What the running binary says about itself.</summary>
public sealed class StatusTests
{
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Every_packet_is_accounted_for_and_none_costs_an_allocation(string encap)
    {
        const long Million = 1_000_000;
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        // Before the first reading, so that what asking for a status allocates in other threads has happened.
        int[] collections = [.. nodes.Daemons.Select(d => d.Status().Collections)];

        for (int round = 0; round < 20 && nodes.Daemons.Any(d => d.Status().Ingress.Packets + d.Status().Egress.Packets < Million); round++)
        {
            Iperf.TcpGigabits(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2));
            Iperf.UdpFlood(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1));
            nodes.One.Try("ping", "-q", "-f", "-c", "200", "-W", "0.1", "10.5.9.9");
        }

        for (int i = 0; i < 2; i++)
        {
            DaemonStatus status = nodes.Daemons[i].Status();
            Assert.True(status.Ingress.Packets + status.Egress.Packets >= Million, "less than a million packets: this proves too little");
            status.AssertEveryPacketAccountedFor();
            Assert.Equal(0, status.AllocatedBytes);
            Assert.Equal(collections[i], status.Collections);
        }
        Assert.True(nodes.Daemons[0].Status().Egress.DropsFor("no_route") >= 200);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void The_report_has_its_documented_shape(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        JsonElement root = nodes.Daemons[0].Status().Root;

        Assert.Equal(1, root.GetProperty("schema").GetInt32());
        Assert.Equal(nodes.Daemons[0].Pid, root.GetProperty("pid").GetInt32());
        Assert.Equal("ff0", root.GetProperty("device").GetProperty("name").GetString());
        Assert.Equal(encap == "udp" ? 1472 : 1450, root.GetProperty("device").GetProperty("mtu").GetInt32());
        Assert.Equal(encap, root.GetProperty("tunnel").GetProperty("encapsulation").GetString());
        Assert.Equal(1, root.GetProperty("workers").GetArrayLength());
        Assert.Equal("192.0.2.2", root.GetProperty("peers")[0].GetProperty("public_ip").GetString());
        // Forced beyond net.core.rmem_max's default, and as the kernel reports it: doubled.
        Assert.InRange(root.GetProperty("receive_buffer").GetInt32(), 1 << 20, int.MaxValue);
    }

    [Theory, InlineData("udp"), InlineData("vxlan", "source_ports")]
    public void On_this_kernel_every_optimisation_is_in_use(string encap, params string[] more)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        Assert.Equal(
            ["tun_vnet_header", "tun_tso", "tun_uso", "udp_segment", .. more, "udp_gro", "coalesce", "real_time"], nodes.Daemons[0].Status().CapabilitiesInUse);
    }

    [Fact]
    public void The_report_for_people_shows_device_peers_and_drops()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        nodes.One.Try("ping", "-c", "1", "-W", "0.1", "10.5.9.9");
        string status = nodes.Daemons[0].Client("status").OrThrow().Output;
        foreach (string text in (string[])["ff0", "1472", "10.5.2.0/24", "192.0.2.2", "no_route"]) Assert.Contains(text, status, StringComparison.Ordinal);
    }
}
