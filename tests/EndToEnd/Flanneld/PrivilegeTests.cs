using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>What stock's manifest gives flanneld, CAP_NET_ADMIN and CAP_NET_RAW, is enough; where it is less, one line says what is missing.</summary>
public sealed class PrivilegeTests
{
    private const string Nobody = "65534";

    [Theory]
    [InlineData("udp", "auto", "0")]
    [InlineData("vxlan", "kernel", "0")]
    [InlineData("udp", "auto", Nobody)]
    [InlineData("vxlan", "kernel", Nobody)]
    [InlineData("vxlan", "userspace", Nobody)]
    [InlineData("host-gw", "auto", Nobody)]
    public void Two_capabilities_are_enough(string backend, string dataplane, string user)
    {
        using Cluster cluster = Cluster.Create();
        string etcd = Configure(cluster, backend);
        cluster.Start(cluster.Two, etcd, "-iface=eth0", "-ip-masq").WaitUntilReady();
        FlanneldProcess daemon = StartAs(cluster, user, "+net_admin,+net_raw", etcd, "-iface=eth0", "-ip-masq", $"-dataplane={dataplane}");
        daemon.WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes) node.AddPod();
        cluster.EverybodyMustReachEverybody();
        Assert.True(daemon.Status().GetProperty("firewall").GetProperty("in_place").GetBoolean(), daemon.Log);
        Assert.DoesNotContain(" warn: ", daemon.Log, StringComparison.Ordinal);
        Assert.Equal(0, daemon.Stop());
    }

    [Theory]
    [InlineData("udp", "making a network device")]
    [InlineData("vxlan", "making a network device")]
    [InlineData("host-gw", "setting routes")]
    public void Without_the_capability_one_line_says_so(string backend, string purpose)
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        FlanneldProcess daemon = StartAs(cluster, Nobody, "+net_raw", Configure(cluster, backend), "-iface=eth0");
        Assert.Equal(1, daemon.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Contains($"{purpose} needs CAP_NET_ADMIN: run as root, or once: sudo setcap cap_net_admin+ep ", LastLine(daemon), StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_the_user_may_not_write_to_is_named()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        FlanneldProcess daemon = StartAs(cluster, Nobody, "+net_admin,+net_raw", Configure(cluster, "vxlan"), "-iface=eth0", "-control-socket=/run/flannel/own.sock");
        daemon.WaitUntilReady();
        Assert.Equal(0, daemon.Stop());
        File.SetUnixFileMode(Path.Combine(cluster.One.Directory, "flannelfast"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        daemon = StartAs(cluster, Nobody, "+net_admin,+net_raw", Configure(cluster, "vxlan"), "-iface=eth0", "-control-socket=/run/flannel/own.sock");
        Assert.Equal(1, daemon.WaitForExit(TimeSpan.FromSeconds(10)));
        Assert.Contains("this user may not write to /run/flannelfast, by which the flannelds of a host keep apart: ", LastLine(daemon), StringComparison.Ordinal);
    }

    private static string Configure(Cluster cluster, string backend)
    {
        if (cluster.Etcd is not { } etcd)
        {
            etcd = cluster.StartEtcd();
            etcd.Ctl("put", "/coreos.com/network/config", $$"""{"Network":"10.5.0.0/16","Backend":{"Type":"{{backend}}"} }""");
        }
        return $"-etcd-endpoints={etcd.Endpoint}";
    }

    /// <summary>Starts the first node's flanneld as another user with these capabilities and no others, to whom the directories of flannel belong.</summary>
    private static FlanneldProcess StartAs(Cluster cluster, string user, string capabilities, params string[] flags)
    {
        ClusterNode node = cluster.One;
        node.OfferTun();
        // Where the repository is, that user may not be let in.
        string binary = Path.Combine(node.Directory, "flannel/flanneld");
        File.Copy(FlanneldProcess.Binary, binary, overwrite: true);
        Shell.Run("chown", "-R", $"{user}:{user}", Path.Combine(node.Directory, "flannel"), Path.Combine(node.Directory, "flannelfast"));
        string caps = $"-all,{capabilities}";
        return cluster.Own(new FlanneldProcess(
            node,
            [$"--reuid={user}", $"--regid={user}", "--clear-groups", $"--inh-caps={caps}", $"--ambient-caps={caps}", $"--bounding-set={caps}", "--no-new-privs", "/run/flannel/flanneld", .. flags],
            program: "setpriv"));
    }

    private static string LastLine(FlanneldProcess daemon) => daemon.Log.TrimEnd().Split('\n')[^1];
}
