using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Device;

/// <summary>What a tunnel makes on the host, and that it takes exactly that away again.</summary>
public sealed class DeviceTests
{
    [Theory]
    [InlineData("udp", 1500, 1472)]
    [InlineData("vxlan", 1500, 1450)]
    [InlineData("udp", 1400, 1372)]
    [InlineData("vxlan", 9000, 8950)]
    public void It_has_the_address_the_route_and_the_mtu_that_follows_from_the_underlay(string encap, int underlayMtu, int mtu)
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.One.Ip("link", "set", "eth0", "mtu", $"{underlayMtu}");
        nodes.StartDaemon(1, encap);

        Assert.Contains($"mtu {mtu} ", nodes.One.Ip("link", "show", "ff0").Output, StringComparison.Ordinal);
        Assert.Contains("inet 10.5.1.0/32 ", nodes.One.Ip("-4", "address", "show", "dev", "ff0").Output, StringComparison.Ordinal);
        Assert.Contains("10.5.0.0/16 ", nodes.One.Ip("route", "show", "dev", "ff0").Output, StringComparison.Ordinal);
        Assert.Contains("src 10.5.1.0", nodes.One.Ip("route", "get", "10.5.2.9").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_given_mtu_is_used()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "udp", "--mtu", "1300");
        Assert.Contains("mtu 1300 ", nodes.One.Ip("link", "show", "ff0").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("udp", Native.SIGTERM)]
    [InlineData("udp", Native.SIGINT)]
    [InlineData("vxlan", Native.SIGTERM)]
    public void Nothing_is_left_after_an_orderly_end(string encap, int signal)
    {
        using TwoNodes nodes = TwoNodes.Create();
        HostState before = HostState.Of(nodes.One);
        Daemon daemon = nodes.StartDaemon(1, encap);
        Assert.NotEqual(before, HostState.Of(nodes.One));

        Assert.Equal(0, daemon.Stop(signal));
        HostState.Of(nodes.One).MustBe(before);
        Assert.False(File.Exists(nodes.SocketPath(1)), "the control socket is still there");
    }

    [Fact]
    public void Nothing_is_left_after_a_kill_and_the_next_start_works()
    {
        using TwoNodes nodes = TwoNodes.Create();
        HostState before = HostState.Of(nodes.One);
        nodes.StartDaemon(2, "udp");
        nodes.StartDaemon(1, "udp").Stop(Native.SIGKILL);
        // The kernel removes a device that is not persistent with its last descriptor, and routes and addresses with it.
        Eventually.Equal(before, () => HostState.Of(nodes.One), "the host after SIGKILL");

        nodes.StartDaemon(1, "udp");
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }

    [Fact]
    public void A_device_of_somebody_else_is_left_alone()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.One.Ip("link", "add", "ff0", "type", "bridge");
        HostState before = HostState.Of(nodes.One);
        CommandResult refused = nodes.One.Try(Daemon.Binary, ["tunnel", .. nodes.TunnelFlags(1, "udp")]);

        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("ff0", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        HostState.Of(nodes.One).MustBe(before);
    }

    /// <summary>A deleted TUN answers every call with EBADFD and poll with POLLERR for ever: stock flannel spins on it.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_deleted_device_comes_back_and_costs_no_processor_time(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        Daemon daemon = nodes.Daemons[0];
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));

        nodes.One.Ip("link", "del", "ff0");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1));
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), 20_000_000);

        double before = daemon.ProcessorSeconds();
        Thread.Sleep(1000);
        Assert.InRange(daemon.ProcessorSeconds() - before, 0, 0.2);
    }

    /// <summary>The device is the tunnel's: whoever sets it down meant something else.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void A_device_that_is_set_down_comes_up_again_with_its_route(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        nodes.One.Ip("link", "set", "ff0", "down");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1));
    }

    [Theory]
    [InlineData("route", "del", "10.5.0.0/16", "dev", "ff0")]
    [InlineData("-4", "address", "flush", "dev", "ff0")]
    [InlineData("link", "set", "ff0", "mtu", "1300")]
    [InlineData("link", "set", "ff0", "name", "other0")]
    public void What_somebody_else_takes_away_is_put_back(params string[] change)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        HostState before = HostState.Of(nodes.One);
        nodes.One.Ip(change);
        Eventually.Equal(before, () => HostState.Of(nodes.One), "the host after the repair");
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }

    /// <summary>Routes of others are left alone, but who wonders where the packets went finds the answer in the log, at once.</summary>
    [Fact]
    public void A_route_that_somebody_takes_over_is_reported_and_comes_back_after_him()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        nodes.One.Ip("link", "add", "thief0", "type", "bridge");
        nodes.One.Ip("link", "set", "thief0", "up");
        nodes.One.Ip("route", "replace", "10.5.0.0/16", "dev", "thief0");
        MustComplain(nodes.Daemons[0], "a route by thief0 to 10.5.0.0/16");

        nodes.One.Ip("route", "del", "10.5.0.0/16", "dev", "thief0");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
    }

    [Fact]
    public void A_device_that_was_moved_away_is_reported()
    {
        using TwoNodes nodes = TwoNodes.Create();
        Daemon daemon = nodes.StartDaemon(1, "udp");
        nodes.One.Ip("link", "set", "ff0", "netns", nodes.Two.Name);
        MustComplain(daemon, "find link ff0");

        nodes.Two.Ip("link", "set", "ff0", "netns", nodes.One.Name);
        Eventually.True(() => nodes.One.Ip("route").Output.Contains("10.5.0.0/16 dev ff0", StringComparison.Ordinal), TimeSpan.FromSeconds(2), () => daemon.Log);
    }

    [Fact]
    public void Traffic_goes_on_after_the_underlay_was_down()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        Daemon daemon = nodes.Daemons[0];
        nodes.One.Ip("link", "set", "eth0", "down");
        double before = daemon.ProcessorSeconds();
        Assert.NotEqual(0, nodes.One.Try("ping", "-c", "3", "-i", "0.2", "-W", "0.2", TwoNodes.OverlayAddress(2)).ExitCode);
        Assert.InRange(daemon.ProcessorSeconds() - before, 0, 0.2);

        nodes.One.Ip("link", "set", "eth0", "up");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1));
    }

    [Fact]
    public void The_mtu_follows_the_underlay()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        nodes.One.Ip("link", "set", "eth0", "mtu", "1400");
        Eventually.True(
            () => nodes.One.Ip("link", "show", "ff0").Output.Contains("mtu 1372 ", StringComparison.Ordinal), TimeSpan.FromSeconds(1),
            () => nodes.One.Ip("link", "show", "ff0").Output);
    }

    private static void MustComplain(Daemon daemon, string about) => Eventually.True(
        () => daemon.Log.Contains(about, StringComparison.Ordinal), TimeSpan.FromSeconds(2), () => daemon.Log);
}
