using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;
using FlannelFast.EndToEnd.Support.Crowd;

namespace FlannelFast.EndToEnd.Faults;

/// <summary>kill -9 at random moments, again and again: while it starts, applies leases, writes its own. FLANNELFAST_LONG=1 makes 12 kills 50.</summary>
public sealed class KilledFlanneldTests
{
    private static readonly int s_kills = Environment.GetEnvironmentVariable("FLANNELFAST_LONG") == "1" ? 50 : 12;

    /// <summary>What the kernel carries goes on, no rule is ever absent, and the next start finds everything as it was.</summary>
    [Fact]
    public async Task What_the_kernel_carries_does_not_notice()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = Start(cluster, "vxlan");
        string[] flags = [$"-etcd-endpoints={etcd.Endpoint}", "-ip-masq", "-dataplane=kernel"];
        FlanneldProcess daemon = cluster.StartAll(flags)[0];
        cluster.EverybodyMustReachEverybody();
        string subnet = File.ReadAllText(cluster.One.SubnetFile), rules = Rules(cluster.One);
        using var stop = new CancellationTokenSource();
        Task<(int Looks, string? Absent)> watching = Task.Run(() => WatchRules(cluster.One, rules, stop.Token));
        using PingWatch ping = new(cluster.One.Pod, cluster.Two.PodAddress);

        // To peers the lease is the same; its owner wants it as it was.
        string altered = etcd.Ctl("get", "--print-value-only", cluster.One.LeaseKey).Replace("\"PublicIPv6\":null", "\"PublicIPv6\":\"2001:db8::9\"", StringComparison.Ordinal);
        await KillAsync(cluster, etcd, flags, daemon, gateway => gateway.PutAsync(cluster.One.LeaseKey, altered));

        Assert.Equal(subnet, File.ReadAllText(cluster.One.SubnetFile));
        await stop.CancelAsync();
        (int looks, string? absent) = await watching;
        ping.MustHaveLostNothing();
        Assert.True(looks > 3 * s_kills, $"only {looks} looks at the rules: this proves nothing");
        Assert.True(absent is null, $"rules were absent:\n{absent}");
        Assert.Equal(rules, Rules(cluster.One));
        cluster.EverybodyMustReachEverybody();
    }

    [Fact]
    public async Task The_engine_is_back_as_it_was()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = Start(cluster, "udp");
        string[] flags = [$"-etcd-endpoints={etcd.Endpoint}", "-ip-masq"];
        FlanneldProcess daemon = cluster.StartAll(flags)[0];
        string subnet = File.ReadAllText(cluster.One.SubnetFile);
        await KillAsync(cluster, etcd, flags, daemon, gateway => gateway.DeleteAsync(cluster.One.LeaseKey));
        Assert.Equal(subnet, File.ReadAllText(cluster.One.SubnetFile));
        cluster.EverybodyMustReachEverybody();
    }

    private static EtcdServer Start(Cluster cluster, string backend)
    {
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", $$"""{"Network":"10.0.0.0/8","SubnetLen":24,"Backend":{"Type":"{{backend}}"} }""");
        return etcd;
    }

    private static async Task KillAsync(Cluster cluster, EtcdServer etcd, string[] flags, FlanneldProcess daemon, Func<EtcdGateway, Task> disturb)
    {
        var random = new Random(11);
        using var gateway = new EtcdGateway(cluster.Router, etcd.Endpoint);
        var crowd = new PeerCrowd(gateway, cluster.One.Netns.Try("ip", "link", "show", "flannel.1").ExitCode == 0 ? "vxlan" : "udp", 300);
        await crowd.EnterAsync();
        string subnet = File.ReadAllText(cluster.One.SubnetFile);
        for (int kill = 0; kill < s_kills; kill++)
        {
            Task changes = crowd.ChangeAsync(200, TimeSpan.FromMilliseconds(300));
            // Every third time it is busy with its own lease, every third time it has just started.
            if (kill % 3 == 0) await disturb(gateway);
            await Task.Delay(random.Next(120), TestContext.Current.CancellationToken);
            Assert.True(daemon.IsRunning, daemon.Log);
            Assert.Equal(128 + Native.SIGKILL, daemon.Stop(Native.SIGKILL));
            await changes;
            daemon = cluster.Start(cluster.One, flags);
            if (kill % 3 == 1) continue;
            daemon.WaitUntilReady();
            Assert.Equal(subnet, File.ReadAllText(cluster.One.SubnetFile));
        }
        daemon.WaitUntilReady();
        // Killed writers leave no files behind, at the latest after the next start.
        Assert.Equal(["subnet.env"], Directory.GetFileSystemEntries(Path.GetDirectoryName(cluster.One.SubnetFile)!).Select(Path.GetFileName));
        Eventually.Equal(crowd.Present + 2, () => daemon.Status().GetProperty("lease_count").GetInt32(), "leases");
        Eventually.Equal("", () => string.Join("\n", daemon.Status().GetProperty("backend").GetProperty("failures").EnumerateArray()), "failures");
    }

    /// <summary>The masquerading rules, without counters.</summary>
    private static string Rules(ClusterNode node) =>
        string.Join('\n', node.Run("iptables-save", "-t", "nat").Output.Split('\n').Where(line => line.Contains("flanneld masq", StringComparison.Ordinal)));

    private static (int Looks, string? Absent) WatchRules(ClusterNode node, string rules, CancellationToken stop)
    {
        int looks = 0;
        for (; !stop.IsCancellationRequested; looks++)
        {
            string now = Rules(node);
            if (now != rules) return (looks, now);
        }
        return (looks, null);
    }
}
