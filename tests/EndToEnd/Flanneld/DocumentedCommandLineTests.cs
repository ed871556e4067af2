using System.Net.Sockets;
using FlannelFast.Control.Tests.Subnets.Etcd;
using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>Command lines and network configs out of users' documents, as they stand there.</summary>
public sealed class DocumentedCommandLineTests
{
    /// <summary>
    /// A binary installation of Kubernetes of the years of v0.7 to v0.11: etcd's v2 API with client certificates, a Type=notify unit, and Docker's
    /// options by ExecStartPost.
    /// </summary>
    [Fact]
    public void Etcd_v2_with_client_certificates_and_docker_options()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd(tls: true, v2: true);
        etcd.CtlV2("set", "/kubernetes/network/config", """{"Network":"172.30.0.0/16", "SubnetLen": 21, "Backend": {"Type": "vxlan"}}""");
        TestCertificates tls = cluster.Certificates!;
        foreach (ClusterNode node in cluster.Nodes)
        {
            string notify = Path.Combine(node.Directory, "notify");
            using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
            manager.Bind(new UnixDomainSocketEndPoint(notify));
            FlanneldProcess daemon = cluster.Own(new FlanneldProcess(node,
                [
                    $"-etcd-cafile={tls.Authority}", $"-etcd-certfile={tls.ClientCertificate}", $"-etcd-keyfile={tls.ClientKey}",
                    $"-etcd-endpoints={etcd.Endpoint}", "-etcd-prefix=/kubernetes/network", "-iface=eth0", "-ip-masq",
                ], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = notify }));
            WaitForReady(manager, daemon);
            // Type=notify: ExecStartPost runs when READY=1 has come.
            node.Run(Path.Combine(Path.GetDirectoryName(FlanneldProcess.Binary)!, "mk-docker-opts.sh"), "-k", "DOCKER_NETWORK_OPTIONS", "-d", "/run/flannel/docker");

            Dictionary<string, string> subnet = node.Subnet();
            Assert.Equal(("172.30.0.0/16", "1450", "true"), (subnet["FLANNEL_NETWORK"], subnet["FLANNEL_MTU"], subnet["FLANNEL_IPMASQ"]));
            Assert.EndsWith("/21", subnet["FLANNEL_SUBNET"], StringComparison.Ordinal);
            string docker = File.ReadAllText(Path.Combine(node.Directory, "flannel/docker"));
            Assert.Contains($"DOCKER_NETWORK_OPTIONS=\" --bip={subnet["FLANNEL_SUBNET"]} --ip-masq=false --mtu=1450\"\n", docker, StringComparison.Ordinal);
            node.AddPod();
        }
        Assert.Equal(2, etcd.CtlV2("ls", "/kubernetes/network/subnets").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Empty(etcd.Ctl("get", "--prefix", "/kubernetes"));
        cluster.EverybodyMustReachEverybody();
    }

    /// <summary>Host bits in the network, SubnetMin equal to it, and a flag that flannel dropped in v0.8.</summary>
    [Fact]
    public void A_network_with_host_bits_and_a_log_directory()
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd(v2: true);
        etcd.CtlV2("set", "/dudu_flannel/network/config",
            """{"Network": "172.17.0.1/16","SubnetMin": "172.17.0.0", "SubnetMax": "172.17.254.0","Backend":{"Type":"vxlan"}}""");
        cluster.StartAll($"-etcd-endpoints={etcd.Endpoint}", "-etcd-prefix=/dudu_flannel/network", "-iface=eth0", "-log_dir=/var/log/k8s/flanneld");
        foreach (ClusterNode node in cluster.Nodes)
        {
            Dictionary<string, string> subnet = node.Subnet();
            Assert.Equal(("172.17.0.0/16", "false"), (subnet["FLANNEL_NETWORK"], subnet["FLANNEL_IPMASQ"]));
            Assert.Matches(@"^172\.17\.\d+\.1/24$", subnet["FLANNEL_SUBNET"]);
        }
        cluster.EverybodyMustReachEverybody();
    }

    [Theory]
    [InlineData("""{"Network":"10.5.0.0/16","Backend": {"Type": "udp", "Port": 7890}}""", "1472")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend": {"Type": "host-gw"}}""", "1500")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend": {"Type": "vxlan", "VNI": 1}}""", "1450")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend": {"Type": "vxlan", "Directrouting": true}}""", "1450")]
    [InlineData("""{"network":"10.5.0.0/16","backend": {"type": "VXLAN", "directROUTING": true}}""", "1450")]
    [InlineData("""{"Network":"10.5.0.0/16","Backend": {"Type": "vxlan", "GBP": true}}""", "1450")]
    public void Backends_with_the_logging_flags_of_old(string config, string mtu)
    {
        using Cluster cluster = Cluster.Create();
        EtcdServer etcd = cluster.StartEtcd();
        etcd.Ctl("put", "/coreos.com/network/config", config);
        cluster.StartAll($"-etcd-endpoints={etcd.Endpoint}", "-etcd-prefix=/coreos.com/network", "-logtostderr=true", "-v=3", "-iface=eth0");
        Assert.All(cluster.Nodes, node => Assert.Equal(mtu, node.Subnet()["FLANNEL_MTU"]));
        cluster.EverybodyMustReachEverybody();
    }

    private static void WaitForReady(Socket manager, FlanneldProcess daemon)
    {
        byte[] buffer = new byte[4096];
        while (true)
        {
            try
            {
                string heard = System.Text.Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
                if (heard.StartsWith("READY=1\n", StringComparison.Ordinal)) return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
            {
                Assert.Fail($"not ready in time\n{daemon.Log}");
            }
        }
    }
}
