using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>Several flannelds on one host.</summary>
public sealed class TwoDaemonsTests
{
    /// <summary>Stock's functional test: two networks side by side on the same hosts, each by its own daemon, prefix and subnet file.</summary>
    [Fact]
    public void Two_networks_on_the_same_hosts_do_not_disturb_each_other()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/vxlan/network/config", """{"Network":"10.11.0.0/16","Backend":{"Type":"vxlan"}}""");
        etcd.Ctl("put", "/hostgw/network/config", """{"Network":"10.12.0.0/16","Backend":{"Type":"host-gw"}}""");
        foreach (ClusterNode node in cluster.Nodes)
        {
            foreach (string network in (string[])["vxlan", "hostgw"])
                cluster.Start(node, $"-subnet-file=/run/flannel/{network}.env", $"-etcd-prefix=/{network}/network", $"--etcd-endpoints={etcd.Endpoint}", "-control-socket=" + Socket(node, network), "-v", "10").WaitUntilReady();
        }
        foreach (string network in (string[])["vxlan", "hostgw"])
        {
            foreach (ClusterNode node in cluster.Nodes) node.AddPod(File(node, network), $"br-{network}");
            cluster.EverybodyMustReachEverybody();
        }
        // By the other network's way there is no answer.
        string pod = cluster.Two.PodAddress;
        Assert.NotEqual(0, cluster.One.Netns.Try("ping", "-c", "1", "-W", "1", "-I", "flannel.1", pod).ExitCode);
    }

    [Fact]
    public void A_second_daemon_for_the_same_network_is_refused_and_the_first_is_unharmed()
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"udp"}}""");
        string store = $"-store-dir={cluster.StoreDirectory}";
        FlanneldProcess first = cluster.StartAll(store)[0];
        FlanneldProcess second = cluster.Start(cluster.One, store);
        Assert.Equal(1, second.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Contains("another daemon listens on /run/flannelfast/flannelfast.sock", second.Log, StringComparison.Ordinal);
        FlanneldProcess third = cluster.Start(cluster.One, store, "-subnet-file=/run/flannel/other.env", "-control-socket=" + Socket(cluster.One, "other"));
        Assert.Equal(1, third.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Contains("another flanneld of this host has this host's lease", third.Log, StringComparison.Ordinal);
        Assert.True(first.IsRunning);
        cluster.EverybodyMustReachEverybody();
        // After a kill -9 nothing stands in the way of the next one.
        first.Stop(Native.SIGKILL);
        cluster.Start(cluster.One, store).WaitUntilReady();
        cluster.EverybodyMustReachEverybody();
    }

    private static string File(ClusterNode node, string network) => Path.Combine(node.Directory, $"flannel/{network}.env");

    private static string Socket(ClusterNode node, string network) => Path.Combine(node.Directory, $"flannelfast/{network}.sock");
}
