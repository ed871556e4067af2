namespace FlannelFast.EndToEnd.Support;

/// <summary>
/// Two network namespaces joined by a veth pair. Node n has the underlay address 192.0.2.n and, in the overlays, the subnet
/// 10.5.n.0/24 of 10.5.0.0/16 and the address 10.5.n.0.
/// </summary>
internal sealed class TwoNodes : IDisposable
{
    private readonly Netns[] _nodes;
    private readonly List<IDisposable> _owned = [];

    private TwoNodes(Netns one, Netns two) => _nodes = [one, two];

    /// <summary>Node 1.</summary>
    public Netns One => _nodes[0];

    /// <summary>Node 2.</summary>
    public Netns Two => _nodes[1];

    /// <summary>Files of this topology: sockets, configurations, captures. Gone with it.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ff-test-").FullName;

    /// <summary>What daemons that are started from now on make of the express lane: off, so that packets go through the engine, which most tests are about.</summary>
    public string ExpressLane { get; set; } = "off";

    /// <summary>Makes both nodes, without any overlay.</summary>
    public static TwoNodes Create(Underlay underlay = Underlay.Veth)
    {
        var nodes = new TwoNodes(Netns.Create(), Netns.Create());
        Shell.Run("ip", "link", "add", "eth0", "netns", nodes.One.Name, "type", "veth", "peer", "name", "eth0", "netns", nodes.Two.Name);
        foreach (int n in (int[])[1, 2])
        {
            nodes.Node(n).Ip("address", "add", $"{UnderlayAddress(n)}/24", "dev", "eth0");
            nodes.Node(n).Ip("address", "add", $"{UnderlayAddress6(n)}/64", "dev", "eth0");
            if (underlay == Underlay.WireLike) MakeWireLike(nodes.Node(n));
            nodes.Node(n).Ip("link", "set", "eth0", "up");
        }
        foreach (Netns node in nodes._nodes) WaitUntilSettled(node);
        return nodes;
    }

    /// <summary>Two nodes with a FlannelFast on each, ready.</summary>
    public static TwoNodes CreateJoined(string encap, Underlay underlay = Underlay.Veth)
    {
        TwoNodes nodes = Create(underlay);
        nodes.StartDaemon(1, encap);
        nodes.StartDaemon(2, encap);
        return nodes;
    }

    /// <summary>Node 1 or 2.</summary>
    public Netns Node(int number) => _nodes[number - 1];

    /// <summary>The daemons started so far, in that order.</summary>
    public IReadOnlyList<Daemon> Daemons => [.. _owned.OfType<Daemon>()];

    /// <summary>Underlay address of a node.</summary>
    public static string UnderlayAddress(int number) => $"192.0.2.{number}";

    /// <summary>IPv6 address of a node in the underlay.</summary>
    public static string UnderlayAddress6(int number) => $"2001:db8::{number}";

    /// <summary>Address of a node in the overlay.</summary>
    public static string OverlayAddress(int number) => $"10.5.{number}.0";

    /// <summary>VtepMAC of a node.</summary>
    public static string VtepMac(int number) => $"02:00:00:00:00:0{number}";

    /// <summary>The flags of <c>flannelfast tunnel</c> for a node, its peer being the other one.</summary>
    public string[] TunnelFlags(int number, string encap)
    {
        string[] flags = [.. TunnelFlagsWithoutPeer(number, encap), "--peer", PeerFlag(3 - number, encap)];
        return flags;
    }

    /// <summary>The same without any peer.</summary>
    public string[] TunnelFlagsWithoutPeer(int number, string encap)
    {
        string[] flags =
        [
            "--device", "ff0", "--local", UnderlayAddress(number), "--network", "10.5.0.0/16", "--subnet", $"10.5.{number}.0/24",
            "--encap", encap, "--socket", SocketPath(number), "--express-lane", ExpressLane,
        ];
        return encap == "vxlan" ? [.. flags, "--mac", VtepMac(number)] : flags;
    }

    /// <summary>What <c>--peer</c> says about a node.</summary>
    public static string PeerFlag(int number, string encap) =>
        $"10.5.{number}.0/24={UnderlayAddress(number)}" + (encap == "vxlan" ? "," + VtepMac(number) : "");

    /// <summary>Flags that give a node with VXLAN IPv6 inside, too: fd00:5:0:n::/64 of fd00:5::/48.</summary>
    public static string[] Ipv6Flags(int n) =>
    [
        "--network", "fd00:5::/48", "--subnet", $"fd00:5:0:{n}::/64",
        "--peer", $"fd00:5:0:{3 - n}::/64={UnderlayAddress(3 - n)},{VtepMac(3 - n)}",
    ];

    /// <summary>Where a node's control socket is.</summary>
    public string SocketPath(int number) => $"{Directory}/{number}.sock";

    /// <summary>Starts FlannelFast on a node and waits until it answers. It ends with this object.</summary>
    public Daemon StartDaemon(int number, string encap, params string[] more) =>
        Own(Daemon.Start(Node(number), SocketPath(number), [.. TunnelFlags(number, encap), .. more]));

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
        foreach (Netns node in _nodes) node.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    /// <summary>
    /// Carrier comes when both ends are up, the link-local address and its routes a moment after: a snapshot of a host taken
    /// before would change by itself.
    /// </summary>
    private static void WaitUntilSettled(Netns node) => Eventually.True(
        () => node.Ip("link", "show", "eth0").Output.Contains("state UP", StringComparison.Ordinal)
            && node.Ip("-6", "address", "show", "dev", "eth0", "scope", "link", "-tentative").Output.Length > 0,
        TimeSpan.FromSeconds(5), () => node.Ip("address").Output);

    private static void MakeWireLike(Netns node) => node.Run(
        "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off", "tx-udp_tnl-segmentation", "off",
        "tx-udp_tnl-csum-segmentation", "off", "tx-udp-segmentation", "off", "gro", "on");
}
