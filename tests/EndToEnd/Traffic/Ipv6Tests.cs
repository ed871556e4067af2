using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>VXLAN with IPv6 inside, outside and both.</summary>
public sealed class Ipv6Tests
{
    [Theory, InlineData(false), InlineData(true)]
    public void Ipv4_and_ipv6_pods_talk_over_either_underlay(bool ipv6Underlay)
    {
        using TwoNodes nodes = TwoNodes.Create();
        foreach (int n in (int[])[1, 2])
        {
            string peer = $"{Underlay(3 - n)},{TwoNodes.VtepMac(3 - n)}";
            nodes.Own(Daemon.Start(nodes.Node(n), nodes.SocketPath(n), [
                "--device", "ff0", "--encap", "vxlan", "--local", Underlay(n), "--mac", TwoNodes.VtepMac(n), "--socket", nodes.SocketPath(n),
                "--network", "10.5.0.0/16", "--subnet", $"10.5.{n}.0/24", "--peer", $"10.5.{3 - n}.0/24={peer}",
                "--network", "fd00:5::/48", "--subnet", $"fd00:5:0:{n}::/64", "--peer", $"fd00:5:0:{3 - n}::/64={peer}",
            ]));
        }
        foreach ((int from, int to) in ((int, int)[])[(1, 2), (2, 1)])
        {
            Ping.MustAnswer(nodes.Node(from), TwoNodes.OverlayAddress(to));
            Ping.MustAnswer(nodes.Node(from), $"fd00:5:0:{to}::");
            TcpTransfer.MustArriveIntact(nodes.Node(from), nodes.Node(to), $"fd00:5:0:{to}::", 50_000_000);
        }

        string Underlay(int number) => ipv6Underlay ? TwoNodes.UnderlayAddress6(number) : TwoNodes.UnderlayAddress(number);
    }

    /// <summary>Every repair looks at all routes: those that are there already must not be taken for somebody else's.</summary>
    [Fact]
    public void A_repair_puts_back_what_is_missing_and_complains_about_nothing()
    {
        using TwoNodes nodes = TwoNodes.Create();
        Daemon daemon = nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), "--device", "ff0", "--encap", "vxlan",
            "--local", TwoNodes.UnderlayAddress6(1), "--socket", nodes.SocketPath(1),
            "--network", "10.5.0.0/16", "--subnet", "10.5.1.0/24", "--network", "fd00:5::/48", "--subnet", "fd00:5:0:1::/64"));
        HostState before = HostState.Of(nodes.One);
        foreach (string[] change in (string[][])[["link", "set", "ff0", "mtu", "1300"], ["-6", "route", "del", "fd00:5::/48", "dev", "ff0"]])
        {
            nodes.One.Ip(change);
            Eventually.Equal(before, () => HostState.Of(nodes.One), "the host after the repair");
        }
        Eventually.Equal(2, () => daemon.Log.Split("not as it should be").Length - 1, "repairs in the log");
        Assert.DoesNotContain("cannot be restored", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void The_mtu_follows_from_the_longer_header_of_an_ipv6_underlay()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), "--device", "ff0", "--encap", "vxlan", "--local", TwoNodes.UnderlayAddress6(1),
            "--socket", nodes.SocketPath(1), "--network", "10.5.0.0/16", "--subnet", "10.5.1.0/24"));
        // 40 IPv6 + 8 UDP + 8 VXLAN + 14 Ethernet.
        Assert.Contains("mtu 1430 ", nodes.One.Ip("link", "show", "ff0").Output, StringComparison.Ordinal);
    }
}
