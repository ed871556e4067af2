using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary>Commands to a running daemon.</summary>
public sealed class ControlSocketTests
{
    [Fact]
    public void Only_its_owner_may_open_it()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "udp");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(nodes.SocketPath(1)));
    }

    [Fact]
    public void A_second_daemon_on_the_same_socket_is_refused_and_the_first_is_unharmed()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        HostState before = HostState.Of(nodes.One);
        CommandResult second = nodes.One.Try("timeout", [
            "2", Daemon.Binary, "tunnel", "--device", "ff1", "--local", "192.0.2.1", "--network", "10.8.0.0/16", "--subnet", "10.8.1.0/24",
            "--encap", "udp", "--port", "9285", "--socket", nodes.SocketPath(1),
        ]);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains(nodes.SocketPath(1), Assert.Single(second.ErrorLines), StringComparison.Ordinal);
        HostState.Of(nodes.One).MustBe(before);
        nodes.Daemons[0].Status();
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }

    [Fact]
    public void A_second_daemon_on_the_same_port_is_refused_and_the_first_is_unharmed()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        HostState before = HostState.Of(nodes.One);
        CommandResult second = nodes.One.Try("timeout", [
            "2", Daemon.Binary, "tunnel", "--device", "ff1", "--local", "192.0.2.1", "--network", "10.8.0.0/16", "--subnet", "10.8.1.0/24",
            "--encap", "udp", "--socket", nodes.SocketPath(2) + ".second",
        ]);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("8285", Assert.Single(second.ErrorLines), StringComparison.Ordinal);
        HostState.Of(nodes.One).MustBe(before);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }

    [Fact]
    public void The_socket_of_a_killed_daemon_does_not_stand_in_the_way()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "udp").Stop(Native.SIGKILL);
        Assert.True(File.Exists(nodes.SocketPath(1)), "nothing was left behind, so this test tests nothing");
        nodes.StartDaemon(1, "udp").Status();
    }

    [Fact]
    public void Nobody_behind_the_socket_is_exit_code_3()
    {
        CommandResult result = Daemon.Command("status", "--socket", "/nowhere/ff.sock");
        Assert.Equal(3, result.ExitCode);
        Assert.Contains("/nowhere/ff.sock", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Peers_are_added_listed_and_deleted_while_it_runs(string encap)
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(2, encap);
        Daemon daemon = nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), nodes.TunnelFlagsWithoutPeer(1, encap)));
        Assert.Equal(0, Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), 2));

        daemon.Client("peer", "add", TwoNodes.PeerFlag(2, encap)).OrThrow();
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        Assert.Contains("10.5.2.0/24", daemon.Client("peer", "list").OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal(["10.5.2.0/24"], daemon.Status().PeerSubnets);

        daemon.Client("peer", "del", "10.5.2.0/24").OrThrow();
        Assert.Empty(daemon.Status().PeerSubnets);
        Assert.Equal(0, Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), 2));
    }

    [Theory]
    [InlineData("peer", "add", "10.5.2.0/24")]
    [InlineData("peer", "add", "10.9.2.0/24=192.0.2.2")]
    [InlineData("peer", "add", "10.5.1.0/24=192.0.2.2")]
    [InlineData("peer", "del", "10.5.2.0")]
    public void A_bad_peer_is_refused_and_changes_nothing(params string[] command)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp");
        CommandResult refused = nodes.Daemons[0].Client(command);
        Assert.Equal(2, refused.ExitCode);
        Assert.Single(refused.ErrorLines);
        Assert.Equal(["10.5.2.0/24"], nodes.Daemons[0].Status().PeerSubnets);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }
}
