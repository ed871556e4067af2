using System.Net;
using FlannelFast.Control.Tests.Subnets.Etcd;

namespace FlannelFast.EndToEnd.Support.Clusters;

/// <summary>
/// Hosts on one Ethernet segment (a bridge in a namespace of its own), which is also the way to the world: node n has 192.0.2.n and
/// 2001:db8::n, the router 192.0.2.254 and 2001:db8::fe. etcd, where a test wants one, runs on the router.
/// </summary>
internal sealed class Cluster : IDisposable
{
    public const string RouterAddress = "192.0.2.254";

    private readonly List<IDisposable> _owned = [];

    private Cluster(int nodes)
    {
        Router = Netns.Create();
        Nodes = [.. Enumerable.Range(1, nodes).Select(number => new ClusterNode(number, Path.Combine(Directory, $"{number}")))];
    }

    /// <summary>Files of this cluster. Gone with it.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ffc").FullName;

    public Netns Router { get; }

    public IReadOnlyList<ClusterNode> Nodes { get; }

    /// <summary>The directory that every node can use as -store-dir.</summary>
    public string StoreDirectory => Path.Combine(Directory, "store");

    /// <summary>The first node.</summary>
    public ClusterNode One => Nodes[0];

    /// <summary>The second node.</summary>
    public ClusterNode Two => Nodes[1];

    /// <summary>Makes the hosts.</summary>
    public static Cluster Create(int nodes = 2)
    {
        var cluster = new Cluster(nodes);
        cluster.Router.Ip("link", "add", "br0", "type", "bridge");
        cluster.Router.Ip("address", "add", $"{RouterAddress}/24", "dev", "br0");
        cluster.Router.Ip("address", "add", "2001:db8::fe/64", "dev", "br0");
        cluster.Router.Ip("link", "set", "br0", "up");
        foreach (ClusterNode node in cluster.Nodes)
        {
            string port = $"node{node.Number}";
            cluster.Router.Ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", node.Netns.Name);
            cluster.Router.Ip("link", "set", port, "master", "br0", "up");
            node.Netns.Ip("address", "add", $"{node.Address}/24", "dev", "eth0");
            node.Netns.Ip("address", "add", $"2001:db8::{node.Number}/64", "dev", "eth0", "nodad");
            node.Netns.Ip("link", "set", "eth0", "up");
            node.Netns.Ip("route", "add", "default", "via", RouterAddress);
            node.Netns.Ip("route", "add", "default", "via", "2001:db8::fe");
        }
        foreach (ClusterNode node in cluster.Nodes)
            Eventually.True(() => node.Netns.Try("ping", "-q", "-c", "1", "-W", "1", RouterAddress).ExitCode == 0, TimeSpan.FromSeconds(5), () => $"{node.Address} does not reach the router");
        return cluster;
    }

    /// <summary>Starts etcd on the router. It ends with the cluster.</summary>
    /// <param name="tls">With certificates for server and clients, at https://192.0.2.254:2379; see <see cref="Certificates"/>.</param>
    /// <param name="v2">With the v2 API too.</param>
    /// <param name="address">Another address of the router.</param>
    public EtcdServer StartEtcd(bool tls = false, bool v2 = false, string address = RouterAddress)
    {
        IPAddress server = IPAddress.Parse(address);
        if (tls) Certificates = Own(new TestCertificates(server));
        return Etcd = Own(EtcdServer.Start(new() { Address = server, Launcher = ["ip", "netns", "exec", Router.Name], Tls = Certificates, EnableV2 = v2 }));
    }

    /// <summary>The one that was started last.</summary>
    public EtcdServer? Etcd { get; private set; }

    /// <summary>What etcd and its clients were given, after <see cref="StartEtcd"/> with TLS.</summary>
    public TestCertificates? Certificates { get; private set; }

    /// <summary>Writes the network config into the embedded store.</summary>
    public void WriteStoreConfig(string json) => Daemon.Command("network", "set", json, "--store-dir", StoreDirectory).OrThrow();

    /// <summary>Starts flanneld on a node with these flags, without waiting. It ends with the cluster.</summary>
    public FlanneldProcess Start(ClusterNode node, params string[] flags) => Own(new FlanneldProcess(node, flags));

    /// <summary>Starts flanneld on every node with the same flags, waits until all are ready, and gives each a pod.</summary>
    public FlanneldProcess[] StartAll(params string[] flags)
    {
        FlanneldProcess[] daemons = [.. Nodes.Select(node => Start(node, flags))];
        foreach (FlanneldProcess daemon in daemons) daemon.WaitUntilReady();
        foreach (ClusterNode node in Nodes) node.AddPod();
        return daemons;
    }

    /// <summary>Every pod must reach every other one, and every host every pod, by every address they have.</summary>
    public void EverybodyMustReachEverybody()
    {
        foreach (ClusterNode from in Nodes)
        {
            foreach (ClusterNode to in Nodes)
            {
                if (from == to) continue;
                foreach (string address in (string[])[to.PodAddress, to.PodAddressV6])
                {
                    if (address.Length == 0) continue;
                    Ping.MustAnswerWithin(TimeSpan.FromSeconds(10), from.Pod, address);
                    // Patient: nothing may be lost, but a busy machine may take its time.
                    Ping.MustAnswer(from.Pod, address, 10, "-W", "5");
                    Ping.MustAnswer(from.Netns, address, 3, "-W", "5");
                }
            }
        }
    }

    /// <summary>Hands over an object that must end before the namespaces do.</summary>
    public T Own<T>(T disposable) where T : IDisposable
    {
        _owned.Add(disposable);
        return disposable;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        foreach (ClusterNode node in Nodes) node.Dispose();
        Router.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
