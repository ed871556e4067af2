using System.Text.Json;
using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>What happens to a flanneld and its host from start to end.</summary>
public sealed class LifeTests
{
    private const string Udp = """{"Network":"10.5.0.0/16","Backend":{"Type":"udp"}}""";
    private const string Vxlan = """{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""";
    private const string HostGw = """{"Network":"10.5.0.0/16","Backend":{"Type":"host-gw"}}""";

    /// <summary>Stock's functional test writes the config after it has started the daemons.</summary>
    [Fact]
    public void A_config_that_comes_after_the_daemons_is_taken_up()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd();
        FlanneldProcess[] daemons = [.. cluster.Nodes.Select(node => cluster.Start(node, $"--etcd-endpoints={etcd.Endpoint}", "-v", "10"))];
        foreach (FlanneldProcess daemon in daemons) daemon.WaitForLog("couldn't fetch network config");
        Assert.All(cluster.Nodes, node => Assert.False(File.Exists(node.SubnetFile)));
        etcd.Ctl("put", "/coreos.com/network/config", Udp);
        foreach (FlanneldProcess daemon in daemons) daemon.WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes) node.AddPod();
        cluster.EverybodyMustReachEverybody();
    }

    [Fact]
    public void Etcd_may_come_after_the_daemons_too()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-etcd-endpoints=http://{Cluster.RouterAddress}:2379");
        daemon.WaitForLog("couldn't fetch network config");
        cluster.StartEtcd().Ctl("put", "/coreos.com/network/config", Udp);
        daemon.WaitUntilReady();
    }

    /// <summary>Of its tunnel it must say nothing that only a tunnel's own daemon could answer.</summary>
    [Fact]
    public void Status_has_the_tunnels_age_and_names_a_command_for_the_other_peers()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", """{"Network":"10.5.0.0/16","SubnetMax":"10.5.99.0","Backend":{"Type":"udp"}}""");
        for (int n = 1; n <= 25; n++) etcd.Ctl("put", $"/coreos.com/network/subnets/10.5.{100 + n}.0-24", $$"""{"PublicIP":"192.0.2.{{100 + n}}"}""");
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-etcd-endpoints={etcd.Endpoint}");
        daemon.WaitUntilReady();
        Eventually.True(() => daemon.Status().GetProperty("tunnels")[0].GetProperty("peer_count").GetInt32() == 25, TimeSpan.FromSeconds(10), () => daemon.Log);
        JsonElement status = daemon.Status(), tunnel = status.GetProperty("tunnels")[0];
        Assert.Equal(status.GetProperty("uptime_seconds").GetDouble(), tunnel.GetProperty("uptime_seconds").GetDouble(), 0.01);
        Assert.InRange(status.GetProperty("uptime_seconds").GetDouble(), 0.02, 60);
        string text = daemon.StatusText();
        Assert.Contains("peers (25)", text, StringComparison.Ordinal);
        Assert.Contains("… and 5 more; \"flannelfast status --json\" shows all", text, StringComparison.Ordinal);
        Assert.DoesNotContain("peer list", text, StringComparison.Ordinal);
        Assert.Equal(25, tunnel.GetProperty("peers").GetArrayLength());
    }

    [Theory]
    [InlineData(Udp, Native.SIGTERM)]
    [InlineData(Udp, Native.SIGKILL)]
    [InlineData(Vxlan, Native.SIGTERM)]
    [InlineData(Vxlan, Native.SIGKILL)]
    [InlineData(HostGw, Native.SIGTERM)]
    public void A_restart_keeps_the_subnet(string config, int signal)
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig(config);
        FlanneldProcess[] daemons = cluster.StartAll($"-store-dir={cluster.StoreDirectory}", "-ip-masq");
        cluster.EverybodyMustReachEverybody();
        string before = File.ReadAllText(cluster.One.SubnetFile);
        int exitCode = daemons[0].Stop(signal);
        Assert.Equal(signal == Native.SIGTERM ? 0 : 128 + signal, exitCode);
        // The lease is found by its PublicIP, also without the file.
        File.Delete(cluster.One.SubnetFile);
        cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}", "-ip-masq").WaitUntilReady();
        Assert.Equal(before, File.ReadAllText(cluster.One.SubnetFile));
        cluster.EverybodyMustReachEverybody();
    }

    /// <summary>What carries packets outside the process goes on without it: stock's promise for vxlan and host-gw.</summary>
    [Theory]
    [InlineData(Vxlan, "flannel.1")]
    [InlineData(HostGw, null)]
    public void Without_the_daemon_packets_go_on(string config, string? device)
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig(config);
        FlanneldProcess[] daemons = cluster.StartAll($"-store-dir={cluster.StoreDirectory}", "-dataplane=kernel", "-ip-masq");
        cluster.EverybodyMustReachEverybody();
        string before = PathOf(cluster.One.Netns);
        foreach (FlanneldProcess daemon in daemons) Assert.Equal(0, daemon.Stop());
        Assert.Equal(before, PathOf(cluster.One.Netns));
        if (device is not null) Assert.Contains(device, cluster.One.Netns.Ip("link").Output, StringComparison.Ordinal);
        Assert.True(File.Exists(cluster.One.SubnetFile));
        Assert.Contains(cluster.One.LeasedSubnet, Daemon.Command("leases", "--store-dir", cluster.StoreDirectory).OrThrow().Output, StringComparison.Ordinal);
        cluster.EverybodyMustReachEverybody();
    }

    [Fact]
    public void The_tun_device_of_udp_goes_with_the_daemon_and_nothing_else_does()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        cluster.WriteStoreConfig(Udp);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}", "-ip-masq");
        daemon.WaitUntilReady();
        Assert.Contains("flannel0", cluster.One.Netns.Ip("link").Output, StringComparison.Ordinal);
        Assert.Equal(0, daemon.Stop());
        Assert.DoesNotContain("flannel0", cluster.One.Netns.Ip("link").Output, StringComparison.Ordinal);
        Assert.Contains("flanneld masq", cluster.One.Netns.Run("iptables-save").Output, StringComparison.Ordinal);
        Assert.True(File.Exists(cluster.One.SubnetFile));
    }

    [Fact]
    public void While_etcd_is_away_packets_go_on_and_afterwards_all_is_as_before()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", Udp);
        FlanneldProcess[] daemons = cluster.StartAll($"-etcd-endpoints={etcd.Endpoint}");
        cluster.EverybodyMustReachEverybody();
        etcd.Kill();
        Eventually.True(() => !daemons[0].Status().GetProperty("store").GetProperty("reachable").GetBoolean(), TimeSpan.FromSeconds(15), () => daemons[0].Log);
        double before = Seconds(daemons);
        Thread.Sleep(3000);
        // Stock has burnt two cores in this state.
        Assert.InRange(Seconds(daemons) - before, 0, 0.6);
        cluster.EverybodyMustReachEverybody();
        etcd.Launch();
        etcd.WaitUntilReady();
        Eventually.True(() => daemons.All(daemon => daemon.Status().GetProperty("store").GetProperty("reachable").GetBoolean()), TimeSpan.FromSeconds(20), () => daemons[0].Log);
        // News get through again.
        cluster.EverybodyMustReachEverybody();
        etcd.Ctl("put", "/coreos.com/network/subnets/10.5.250.0-24", """{"PublicIP":"192.0.2.50"}""");
        Eventually.True(() => daemons.All(daemon => Subnets(daemon).Contains("10.5.250.0/24")), TimeSpan.FromSeconds(10), () => daemons[1].Log);
    }

    [Fact]
    public void A_lease_that_is_deleted_is_taken_again_and_packets_go_on()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", Udp);
        FlanneldProcess[] daemons = cluster.StartAll($"-etcd-endpoints={etcd.Endpoint}");
        string key = cluster.One.LeaseKey;
        etcd.Ctl("del", key);
        daemons[0].WaitForLog("taken again");
        Assert.NotEmpty(etcd.Ctl("get", key));
        Assert.True(daemons[0].IsRunning);
        cluster.EverybodyMustReachEverybody();
    }

    [Fact]
    public void A_lease_that_another_host_took_ends_the_daemon_with_0_as_stock()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", Udp);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-etcd-endpoints={etcd.Endpoint}");
        daemon.WaitUntilReady();
        string key = cluster.One.LeaseKey;
        etcd.Ctl("put", key, """{"PublicIP":"192.0.2.9","PublicIPv6":null}""");
        Assert.Equal(0, daemon.WaitForExit(TimeSpan.FromSeconds(20)));
        Assert.Contains("lease has been revoked, shutting down daemon: ", daemon.Log, StringComparison.Ordinal);
        Assert.Contains("192.0.2.9", etcd.Ctl("get", key), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_address_and_another_mtu_of_the_underlay_are_followed()
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig(Udp);
        cluster.StartAll($"-store-dir={cluster.StoreDirectory}", "-iface=eth0");
        cluster.EverybodyMustReachEverybody();
        cluster.Two.Netns.Ip("address", "del", "192.0.2.2/24", "dev", "eth0");
        cluster.Two.Netns.Ip("address", "add", "192.0.2.77/24", "dev", "eth0");
        cluster.Two.Netns.Ip("route", "replace", "default", "via", Cluster.RouterAddress);
        Eventually.True(() => Daemon.Command("leases", "--store-dir", cluster.StoreDirectory).OrThrow().Output.Contains("192.0.2.77", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => "not published");
        cluster.EverybodyMustReachEverybody();

        cluster.Two.Netns.Ip("link", "set", "eth0", "mtu", "1400");
        Eventually.True(() => cluster.Two.Subnet()["FLANNEL_MTU"] == "1372", TimeSpan.FromSeconds(5), () => File.ReadAllText(cluster.Two.SubnetFile));
        Eventually.True(() => cluster.Two.Netns.Ip("link", "show", "flannel0").Output.Contains("mtu 1372", StringComparison.Ordinal), TimeSpan.FromSeconds(2), () => cluster.Two.Netns.Ip("link").Output);
    }

    [Fact]
    public void Health_readiness_and_the_notifications_of_the_unit()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}", "-healthz-ip=127.0.0.1", "-healthz-port=8081");
        daemon.WaitForLog("couldn't fetch network config");
        Assert.Equal(("flanneld is running", "200"), Ask("healthz"));
        Assert.Equal(("flanneld is not ready yet", "503"), Ask("readyz"));
        cluster.WriteStoreConfig(Udp);
        daemon.WaitUntilReady();
        Assert.Equal(("flanneld is ready", "200"), Ask("readyz"));

        (string, string) Ask(string path)
        {
            string[] answer = cluster.One.Netns.Run("curl", "-s", "-w", "\n%{http_code}", $"http://127.0.0.1:8081/{path}").Output.Split('\n');
            return (answer[0], answer[1]);
        }
    }

    [Theory]
    [InlineData("-nonsense", 2)]
    [InlineData("-ip-masq=maybe", 2)]
    [InlineData("-subnet-lease-renew-margin=0", 1)]
    [InlineData("-help", 0)]
    [InlineData("-version", 0)]
    public void Exit_codes_without_a_network(string flag, int exitCode)
    {
        CommandResult result = Shell.Try(FlanneldProcess.Binary, flag);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        if (exitCode == 2)
        {
            Assert.Single(result.ErrorLines);
            Assert.Equal(0, Shell.Try(FlanneldProcess.Binary, flag, "--compat-exit-codes").ExitCode);
        }
    }

    private static string[] Subnets(FlanneldProcess daemon) => [.. daemon.Status().GetProperty("leases").EnumerateArray().Select(lease => lease.GetProperty("subnet").GetString()!)];

    private static double Seconds(FlanneldProcess[] daemons) => daemons.Sum(daemon =>
    {
        using var process = System.Diagnostics.Process.GetProcessById(daemon.Pid);
        return process.TotalProcessorTime.TotalSeconds;
    });

    /// <summary>Everything on a host that packets of pods go by. The counters of iptables-save are of no interest.</summary>
    private static string PathOf(Netns host) => string.Join('\n', (string[])
    [
        host.Ip("-o", "link").Output,
        host.Ip("-o", "address").Output,
        host.Ip("route", "show", "table", "all").Output,
        host.Ip("neighbour", "show", "nud", "permanent").Output,
        Shell.Run("bridge", "-n", host.Name, "fdb", "show").Output,
        .. host.Run("iptables-save").Output.Split('\n').Where(line => line.StartsWith('-')),
    ]);
}
