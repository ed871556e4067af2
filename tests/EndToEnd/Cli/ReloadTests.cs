using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary>SIGHUP reads the peers again; a bad file is refused whole.</summary>
public sealed class ReloadTests
{
    [Fact]
    public void New_peers_are_taken_and_a_bad_file_changes_nothing()
    {
        using TwoNodes nodes = TwoNodes.Create();
        string file = Path.Combine(nodes.Directory, "config.json");
        nodes.StartDaemon(2, "udp");
        Write(file, "");
        Daemon daemon = nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), "--config", file, "--socket", nodes.SocketPath(1)));
        Assert.Empty(daemon.Status().PeerSubnets);

        Write(file, """{"subnet":"10.5.2.0/24","public_ip":"192.0.2.2"}""");
        daemon.Signal(Native.SIGHUP);
        Eventually.Equal(1, () => daemon.Status().PeerSubnets.Length, "peers after SIGHUP");
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));

        foreach (string bad in (string[])[
            "{", """{"subnet":"10.5.3.0/24","public_ip":"192.0.2.3"},{"subnet":"10.5.4.0/24","public_ip":"nowhere"}""",
            """{"subnet":"10.5.3.0/24","public_ip":"192.0.2.3"},{"subnet":"10.5.3.0/24","public_ip":"192.0.2.4"}"""])
        {
            string before = daemon.Log;
            Write(file, bad);
            daemon.Signal(Native.SIGHUP);
            Eventually.True(
                () => daemon.Log[before.Length..].Contains("config.json", StringComparison.Ordinal), TimeSpan.FromSeconds(2),
                () => $"no word about the bad file\n{daemon.Log}");
            Assert.Equal(["10.5.2.0/24"], daemon.Status().PeerSubnets);
            Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        }

        // It is still listening to the signal after all these refusals.
        Write(file, "");
        daemon.Signal(Native.SIGHUP);
        Eventually.Equal(0, () => daemon.Status().PeerSubnets.Length, "peers after the last SIGHUP");
    }

    /// <summary>nohup(1) has SIGHUP ignored, and so do its children: the signal that asks for a reload would be lost.</summary>
    [Fact]
    public void A_daemon_that_inherited_an_ignored_signal_reloads()
    {
        using TwoNodes nodes = TwoNodes.Create();
        string file = Path.Combine(nodes.Directory, "config.json");
        Write(file, "");
        Daemon daemon = nodes.Own(Daemon.StartBy(["env", "--ignore-signal=HUP"], nodes.One, nodes.SocketPath(1), "--config", file, "--socket", nodes.SocketPath(1)));
        Write(file, """{"subnet":"10.5.2.0/24","public_ip":"192.0.2.2"}""");
        daemon.Signal(Native.SIGHUP);
        Eventually.Equal(1, () => daemon.Status().PeerSubnets.Length, "peers after SIGHUP");
    }

    /// <summary>A reload must not cost a packet that has nothing to do with it.</summary>
    [Fact]
    public void Traffic_does_not_notice_a_reload()
    {
        using TwoNodes nodes = TwoNodes.Create();
        string file = Path.Combine(nodes.Directory, "config.json");
        Write(file, """{"subnet":"10.5.2.0/24","public_ip":"192.0.2.2"}""");
        nodes.StartDaemon(2, "udp");
        Daemon daemon = nodes.Own(Daemon.Start(nodes.One, nodes.SocketPath(1), "--config", file, "--socket", nodes.SocketPath(1)));

        Task reloading = Task.Run(() =>
        {
            for (int i = 0; i < 20; i++)
            {
                Write(file, """{"subnet":"10.5.2.0/24","public_ip":"192.0.2.2"},""" + $$"""{"subnet":"10.5.{{3 + i}}.0/24","public_ip":"192.0.2.9"}""");
                daemon.Signal(Native.SIGHUP);
                Thread.Sleep(50);
            }
        }, TestContext.Current.CancellationToken);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), count: 150);
        Eventually.True(() => reloading.IsCompletedSuccessfully, TimeSpan.FromSeconds(5), () => $"{reloading.Exception}");
        Eventually.Equal(true, () => daemon.Status().PeerSubnets.Contains("10.5.22.0/24"), "the last reload was taken");
    }

    private static void Write(string file, string peers) => File.WriteAllText(file, $$"""
        {
          "device": "ff0",
          "local": "192.0.2.1",
          "networks": ["10.5.0.0/16"],
          "subnets": ["10.5.1.0/24"],
          "encap": "udp",
          "peers": [{{peers}}]
        }
        """);
}
