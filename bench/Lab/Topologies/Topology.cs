using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Topologies;

/// <summary>The nodes of a run, joined by an underlay. They vanish with the <see cref="LabState"/> that they were made in.</summary>
internal sealed class Topology
{
    private Topology(TopologySpec spec, Underlay underlay, IReadOnlyList<Node> nodes) => (Spec, Underlay, Nodes) = (spec, underlay, nodes);

    internal TopologySpec Spec { get; }

    internal Underlay Underlay { get; }

    /// <summary>Node 1 receives, all others send.</summary>
    internal IReadOnlyList<Node> Nodes { get; }

    /// <summary>Makes nodes and underlay.</summary>
    /// <exception cref="LabException">The kernel or a tool refused.</exception>
    internal static Topology Create(LabState state, TopologySpec spec, Underlay underlay)
    {
        var nodes = new List<Node>();
        for (int number = 1; number <= spec.Nodes; number++)
        {
            string suffix = number.ToString(CultureInfo.InvariantCulture);
            NetworkNamespace? pod = spec.Kind == TopologyKind.Pods ? state.CreateNamespace("pod" + suffix) : null;
            nodes.Add(new(number, state.CreateNamespace("node" + suffix), pod));
        }
        if (spec.Kind == TopologyKind.Star) JoinBySwitch(state.CreateNamespace("switch"), nodes, underlay);
        else JoinByPair(nodes[0].Namespace, nodes[1].Namespace, underlay);

        foreach (Node node in nodes)
        {
            node.Namespace.Batch(
                $"address add {node.Address}/24 dev {Node.Device}",
                $"link set {Node.Device} mtu {underlay.Mtu.ToString(CultureInfo.InvariantCulture)}",
                $"link set {Node.Device} up");
            if (underlay.IsWireLike) MakeWireLike(node.Namespace, Node.Device);
            if (underlay.LossPercent > 0) AddLoss(node.Namespace, underlay.LossPercent);
            node.Namespace.Sysctl("net/ipv4/ip_forward", "1");
            if (node.Pod is { } pod) AddPod(node, pod, underlay);
        }
        return new(spec, underlay, nodes);
    }

    private static void JoinByPair(NetworkNamespace one, NetworkNamespace two, Underlay underlay)
    {
        one.Batch($"link add {Node.Device} mtu {Mtu(underlay)} type veth peer name {Node.Device} mtu {Mtu(underlay)} netns {two.Name}");
    }

    private static void JoinBySwitch(NetworkNamespace middle, IReadOnlyList<Node> nodes, Underlay underlay)
    {
        middle.Batch("link add switch type bridge", $"link set switch mtu {Mtu(underlay)} up");
        foreach (Node node in nodes)
        {
            string port = string.Create(CultureInfo.InvariantCulture, $"port{node.Number}");
            middle.Batch(
                $"link add {port} mtu {Mtu(underlay)} type veth peer name {Node.Device} mtu {Mtu(underlay)} netns {node.Namespace.Name}",
                $"link set {port} master switch", $"link set {port} up");
            if (underlay.IsWireLike) MakeWireLike(middle, port);
        }
    }

    private static void AddPod(Node node, NetworkNamespace pod, Underlay underlay)
    {
        node.Namespace.Batch(
            $"link add {Node.Bridge} type bridge",
            $"link add veth0 mtu {Mtu(underlay)} type veth peer name {Node.Device} mtu {Mtu(underlay)} netns {pod.Name}",
            $"link set veth0 master {Node.Bridge}",
            $"link set {Node.Bridge} mtu {Mtu(underlay)} up", "link set veth0 up");
        pod.Batch($"link set {Node.Device} up");
    }

    /// <summary>
    /// No segmentation is left to the receiver, as with a card that has none: over plain veth a super-packet crosses "the wire"
    /// whole. Checksums stay offloaded and gro on, as with nearly every card and driver.
    /// </summary>
    private static void MakeWireLike(NetworkNamespace place, string device) => place.Run(
        "ethtool", "-K", device, "tso", "off", "gso", "off", "tx-udp_tnl-segmentation", "off",
        "tx-udp_tnl-csum-segmentation", "off", "tx-udp-segmentation", "off", "gro", "on");

    /// <summary>Random loss by nftables, because netem is not in every kernel. Drops what has been reassembled by GRO as one.</summary>
    private static void AddLoss(NetworkNamespace place, double percent)
    {
        int perMille = (int)Math.Round(percent * 1000);
        Tool.RunWithInput(string.Create(CultureInfo.InvariantCulture, $$"""
            table inet lab {
              chain loss {
                type filter hook prerouting priority raw; policy accept;
                iifname "{{Node.Device}}" numgen random mod 100000 < {{perMille}} counter drop
              }
            }

            """), "ip", "netns", "exec", place.Name, "nft", "-f", "-");
    }

    private static string Mtu(Underlay underlay) => underlay.Mtu.ToString(CultureInfo.InvariantCulture);
}
