using System.Text;
using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;
using FlannelFast.EndToEnd.Support.Crowd;

namespace FlannelFast.EndToEnd.Faults;

/// <summary>Whatever somebody writes into etcd, and however etcd itself behaves: two hosts that did nothing wrong reach each other all the time.</summary>
public sealed class HostileStoreTests
{
    private const string Subnets = "/coreos.com/network/subnets/";

    /// <summary>Values up to what etcd takes (1.5 MB), keys of all kinds, claims against everybody.</summary>
    [Theory]
    [InlineData("vxlan")]
    [InlineData("udp")]
    public async Task Nothing_that_is_written_touches_a_peer(string backend)
    {
        using Cluster cluster = Cluster.Create();
        (EtcdServer etcd, FlanneldProcess[] daemons) = Start(cluster, backend);
        using var gateway = new EtcdGateway(cluster.Router, etcd.Endpoint);
        string[] own = [.. cluster.Nodes.Select(node => node.LeaseKey)], values = [.. own.Select(key => etcd.Ctl("get", "--print-value-only", key))];
        using PingWatch ping = new(cluster.One.Pod, cluster.Two.PodAddress);

        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), TestContext.Current.CancellationToken, async (n, _) => await gateway.PutAsync($"{Subnets}junk-{n}", new byte[n % 300]));
        foreach ((string key, byte[] value) in Garbage()) await gateway.PutAsync(Subnets + key, value);
        foreach (string key in own) await gateway.PutAsync(key, "garbage");

        foreach (int n in (int[])[0, 1])
            Eventually.True(() => etcd.Ctl("get", "--print-value-only", own[n]) == values[n], TimeSpan.FromSeconds(10), () => $"{own[n]} is not as it was\n{daemons[n].Log}");
        foreach (FlanneldProcess daemon in daemons)
        {
            Eventually.Equal("192.0.2.1 192.0.2.2", () => PeersOf(daemon), "hosts in use");
            Assert.InRange(daemon.Log.Count(c => c == '\n'), 1, 150);
            Assert.InRange(ProcessUsage.Of(daemon.Pid).Peak, 1, 100);
        }
        ping.MustHaveLostNothing();
        cluster.EverybodyMustReachEverybody();
    }

    /// <summary>A restart has to read all of it.</summary>
    [Fact]
    public async Task A_start_among_garbage_is_a_start()
    {
        using Cluster cluster = Cluster.Create();
        (EtcdServer etcd, FlanneldProcess[] daemons) = Start(cluster, "vxlan");
        using var gateway = new EtcdGateway(cluster.Router, etcd.Endpoint);
        foreach ((string key, byte[] value) in Garbage()) await gateway.PutAsync(Subnets + key, value);
        for (int n = 0; n < 20; n++) await gateway.PutAsync($"{Subnets}large-{n}", new byte[1_400_000]);
        string before = File.ReadAllText(cluster.One.SubnetFile);
        daemons[0].Stop(Native.SIGKILL);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-etcd-endpoints={etcd.Endpoint}", "-ip-masq");
        daemon.WaitUntilReady();
        Assert.Equal(before, File.ReadAllText(cluster.One.SubnetFile));
        cluster.EverybodyMustReachEverybody();
        Assert.InRange(ProcessUsage.Of(daemon.Pid).Peak, 1, 100);
    }

    /// <summary>"etcdctl del --prefix": one revision for all, and nothing else has happened since the daemon read everything.</summary>
    [Fact]
    public void Leases_deleted_together_are_gone_together()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", """{"Network":"10.5.0.0/16","SubnetMax":"10.5.99.0","Backend":{"Type":"host-gw"}}""");
        for (int n = 1; n <= 9; n++) etcd.Ctl("put", $"{Subnets}10.5.10{n}.0-24", $$"""{"PublicIP":"192.0.2.10{{n}}","BackendType":"host-gw"}""");
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-etcd-endpoints={etcd.Endpoint}");
        daemon.WaitUntilReady();
        Eventually.Equal(9, Routes, "routes");
        etcd.Ctl("del", "--prefix", $"{Subnets}10.5.10");
        Eventually.Equal(0, Routes, "routes");

        int Routes() => cluster.One.Netns.Ip("route").OutputLines.Count(line => line.StartsWith("10.5.10", StringComparison.Ordinal));
    }

    /// <summary>Packets to the daemons are lost, those to etcd are not; connections stay open on both sides.</summary>
    [Fact]
    public void An_etcd_that_no_answer_comes_from_is_left_and_found_again()
    {
        using Cluster cluster = Cluster.Create();
        (EtcdServer etcd, FlanneldProcess[] daemons) = Start(cluster, "udp");
        using PingWatch ping = new(cluster.One.Pod, cluster.Two.PodAddress);
        cluster.Router.Run("nft", "add table ip half; add chain ip half out { type filter hook output priority 0; }; add rule ip half out oifname br0 tcp sport 2379 drop");
        foreach (FlanneldProcess daemon in daemons)
            Eventually.True(() => !daemon.Status().GetProperty("store").GetProperty("reachable").GetBoolean(), TimeSpan.FromSeconds(25), () => daemon.Log);
        // Half-open, then dead, then back.
        cluster.Router.Run("nft", "delete table ip half");
        etcd.Ctl("put", $"{Subnets}10.5.250.0-24", """{"PublicIP":"192.0.2.50"}""");
        foreach (FlanneldProcess daemon in daemons)
        {
            Eventually.True(() => PeersOf(daemon).EndsWith("192.0.2.50", StringComparison.Ordinal), TimeSpan.FromSeconds(10), () => daemon.Log);
            Assert.InRange(daemon.Log.Count(c => c == '\n'), 1, 40);
        }
        ping.MustHaveLostNothing();
    }

    private static (EtcdServer, FlanneldProcess[]) Start(Cluster cluster, string backend)
    {
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", $$"""{"Network":"10.5.0.0/16","SubnetMax":"10.5.99.0","Backend":{"Type":"{{backend}}"} }""");
        FlanneldProcess[] daemons = cluster.StartAll($"-etcd-endpoints={etcd.Endpoint}", "-ip-masq");
        cluster.EverybodyMustReachEverybody();
        return (etcd, daemons);
    }

    private static IEnumerable<(string Key, byte[] Value)> Garbage()
    {
        const string Vxlan = "\"BackendType\":\"vxlan\",\"BackendData\":";
        (string Key, string Value)[] texts =
        [
            ("", "x"), ("10.5.101.0-24/x", "x"), ("0.0.0.0-0", """{"PublicIP":"192.0.2.9"}"""), ("10.5.0.0-33", "{}"), ("fc00::-64", """{"PublicIP":"192.0.2.9"}"""),
            ("../config", "{}"), (new string('k', 100_000), "x"), ("10.5.101.0-24", ""), ("10.5.102.0-24", "null"), ("10.5.103.0-24", "{}"), ("10.5.104.0-24", "[[[[[[[[[["),
            ("10.5.105.0-24", new string('[', 60_000)), ("10.5.106.0-24", $$"""{"PublicIP":"192.0.2.9",{{Vxlan}}{{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}}"""),
            ("10.5.107.0-24", """{"PublicIP":"::1"}"""), ("10.5.108.0-24", """{"PublicIP":"fd00::1"}"""), ("10.5.109.0-24", """{"PublicIP":"::ffff:192.0.2.9"}"""),
            ("10.5.110.0-24", """{"PublicIP":"192.0.2.9","PublicIPv6":"1.2.3.4"}"""), ("10.5.111.0-24", """{"PublicIP":3221225994}"""), ("10.5.112.0-24", """{"PublicIP":"224.0.0.1"}"""),
            ("10.5.113.0-24", """{"PublicIP":"255.255.255.255"}"""), ("10.5.114.0-24", """{"PublicIP":"10.5.114.7"}"""), ("10.5.115.0-24", "{\"PublicIP\":\"192.0.2.\\ud800\"}"),
            // Against the two hosts: their addresses, their MAC addresses, their subnets.
            ("10.0.0.0-8", """{"PublicIP":"192.0.2.9"}"""), ("10.5.0.0-16", """{"PublicIP":"192.0.2.9"}"""), ("10.5.0.0-17", $$$"""{"PublicIP":"192.0.2.9",{{{Vxlan}}}{"VNI":1,"VtepMAC":"02:00:00:00:00:09"}}"""),
        ];
        foreach ((string key, string value) in texts) yield return (key, Encoding.UTF8.GetBytes(value));
        var random = new Random(5);
        byte[] bytes = new byte[1_400_000];
        random.NextBytes(bytes);
        yield return ("10.5.120.0-24", bytes);
        yield return ("10.5.121.0-24", bytes[..5000]);
        yield return ("10.5.122.0-24", Encoding.UTF8.GetBytes($$"""{"PublicIP":"192.0.2.9","x":"{{new string('x', 1_400_000)}}"}"""));
    }

    /// <summary>The hosts whose leases the daemon uses, its own among them.</summary>
    private static string PeersOf(FlanneldProcess daemon) =>
        string.Join(' ', daemon.Status().GetProperty("leases").EnumerateArray().Select(lease => lease.GetProperty("public_ip").GetString()).Order(StringComparer.Ordinal));
}
