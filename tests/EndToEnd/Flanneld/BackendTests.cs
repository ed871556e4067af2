using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>Every backend between three hosts, and hosts that carry the same traffic in different ways.</summary>
public sealed class BackendTests
{
    [Theory]
    [InlineData("udp", "auto")]
    [InlineData("host-gw", "auto")]
    [InlineData("vxlan", "kernel")]
    [InlineData("vxlan", "userspace")]
    public void Three_hosts_reach_each_other(string backend, string dataplane)
    {
        using Cluster cluster = Cluster.Create(nodes: 3);
        cluster.WriteStoreConfig($$"""{"Network":"10.5.0.0/16","Backend":{"Type":"{{backend}}"} }""");
        cluster.StartAll($"-store-dir={cluster.StoreDirectory}", $"-dataplane={dataplane}");
        cluster.EverybodyMustReachEverybody();
    }

    [Theory]
    [InlineData("host-gw", "auto", false)]
    [InlineData("vxlan", "kernel", false)]
    [InlineData("vxlan", "userspace", false)]
    [InlineData("vxlan", "kernel", true)]
    [InlineData("vxlan", "userspace", true)]
    public void Three_hosts_reach_each_other_by_both_families(string backend, string dataplane, bool onlyIpv6)
    {
        using Cluster cluster = Cluster.Create(nodes: 3);
        string ipv4 = onlyIpv6 ? "\"EnableIPv4\":false" : "\"Network\":\"10.5.0.0/16\"";
        cluster.WriteStoreConfig($$"""{ {{ipv4}}, "EnableIPv6":true, "IPv6Network":"fd00:5::/48", "Backend":{"Type":"{{backend}}"} }""");
        cluster.StartAll($"-store-dir={cluster.StoreDirectory}", $"-dataplane={dataplane}");
        Assert.Matches("^fd00:5:0:[0-9a-f:]+::1/64$", cluster.One.Subnet()["FLANNEL_IPV6_SUBNET"]);
        Assert.Equal(!onlyIpv6, cluster.One.Subnet().ContainsKey("FLANNEL_SUBNET"));
        cluster.EverybodyMustReachEverybody();
        if (backend == "vxlan") Assert.Equal(0, cluster.One.Netns.Try("ip", "link", "show", "flannel-v6.1").ExitCode);
    }

    /// <summary>IPv6 in VXLAN over IPv6, with the kernel's device on one side and the packet engine on the other.</summary>
    [Fact]
    public void Kernel_and_userspace_vxlan_carry_the_same_traffic_of_both_families()
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","EnableIPv6":true,"IPv6Network":"fd00:5::/48","Backend":{"Type":"vxlan"}}""");
        string[] dataplanes = ["kernel", "userspace"];
        foreach (ClusterNode node in cluster.Nodes)
            cluster.Start(node, $"-store-dir={cluster.StoreDirectory}", $"-dataplane={dataplanes[node.Number - 1]}").WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes) node.AddPod();
        cluster.EverybodyMustReachEverybody();
        TcpTransfer.MustArriveIntact(cluster.One.Pod, cluster.Two.Pod, cluster.Two.PodAddressV6, 20_000_000);
        TcpTransfer.MustArriveIntact(cluster.Two.Pod, cluster.One.Pod, cluster.One.PodAddressV6, 20_000_000);
    }

    /// <summary>One wire format: who carries it on which host is nobody else's business.</summary>
    [Fact]
    public void Kernel_and_userspace_vxlan_carry_the_same_traffic()
    {
        using Cluster cluster = Cluster.Create(nodes: 3);
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan","VNI":5}}""");
        string[] dataplanes = ["kernel", "userspace", "userspace"];
        foreach (ClusterNode node in cluster.Nodes)
            cluster.Start(node, $"-store-dir={cluster.StoreDirectory}", $"-dataplane={dataplanes[node.Number - 1]}").WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes) node.AddPod();
        Assert.Contains("vxlan id 5 ", cluster.One.Netns.Ip("-d", "link", "show", "flannel.5").Output, StringComparison.Ordinal);
        Assert.Contains("tun type tun", cluster.Two.Netns.Ip("-d", "link", "show", "flannel.5").Output, StringComparison.Ordinal);
        cluster.EverybodyMustReachEverybody();
        TcpTransfer.MustArriveIntact(cluster.One.Pod, cluster.Two.Pod, cluster.Two.PodAddress, 20_000_000);
        TcpTransfer.MustArriveIntact(cluster.Two.Pod, cluster.One.Pod, cluster.One.PodAddress, 20_000_000);
    }

    /// <summary>As flanneld itself: a host changes its data plane by a restart, and the others learn its new MAC address.</summary>
    [Fact]
    public void A_host_may_change_between_kernel_and_userspace()
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""");
        string store = $"-store-dir={cluster.StoreDirectory}";
        FlanneldProcess daemon = cluster.StartAll(store, "-dataplane=kernel")[0];
        cluster.EverybodyMustReachEverybody();
        foreach (string dataplane in (string[])["userspace", "kernel"])
        {
            daemon.Stop();
            daemon = cluster.Start(cluster.One, store, $"-dataplane={dataplane}");
            daemon.WaitUntilReady();
            cluster.EverybodyMustReachEverybody();
        }
    }

    [Fact]
    public void A_host_that_leaves_and_one_that_comes_are_noticed_by_all()
    {
        using Cluster cluster = Cluster.Create(nodes: 3);
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"vxlan"}}""");
        string store = $"-store-dir={cluster.StoreDirectory}";
        FlanneldProcess[] first = [cluster.Start(cluster.One, store), cluster.Start(cluster.Two, store)];
        foreach (FlanneldProcess daemon in first) daemon.WaitUntilReady();
        FlanneldProcess third = cluster.Start(cluster.Nodes[2], store);
        third.WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes) node.AddPod();
        cluster.EverybodyMustReachEverybody();
        string subnet = cluster.Nodes[2].LeasedSubnet;
        third.Stop();
        // Its lease runs out after a day; "flannelfast reserve" and etcdctl can end it sooner.
        File.Delete(Path.Combine(cluster.StoreDirectory, "subnets", subnet.Replace('/', '-')));
        Eventually.True(() => first.All(daemon => daemon.Status().GetProperty("lease_count").GetInt32() == 2), TimeSpan.FromSeconds(90), () => first[0].Log);
        Eventually.True(() => !cluster.One.Netns.Ip("route").Output.Contains(subnet, StringComparison.Ordinal), TimeSpan.FromSeconds(5), () => cluster.One.Netns.Ip("route").Output);
    }

    [Fact]
    public void Alloc_leases_a_subnet_and_does_nothing_else()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"alloc"}}""");
        HostState before = HostState.Of(cluster.One.Netns);
        cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}").WaitUntilReady();
        HostState.Of(cluster.One.Netns).MustBe(before);
        Assert.Equal("1500", cluster.One.Subnet()["FLANNEL_MTU"]);
    }

    [Theory]
    [InlineData("""{"Network":"10.5.0.0/16","Backend":{"Type":"wireguard"}}""", "FlannelFast has no wireguard backend")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend":{"Type":"pigeon"}}""", "unknown backend type: pigeon")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend":{}}""", "unknown backend type: ")]
    public void A_backend_that_is_not_there_ends_the_daemon(string config, string message)
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        // Written by hand: "network set" would not take it.
        Directory.CreateDirectory(cluster.StoreDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(cluster.StoreDirectory, "config"), config);
        FlanneldProcess daemon = cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}");
        Assert.Equal(1, daemon.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Contains(message, daemon.Log, StringComparison.Ordinal);
    }
}
