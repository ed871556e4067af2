using System.Globalization;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// Any program that tunnels between two nodes. If it only makes the device, the lab does the rest: address, link up, route to
/// the other node. A program that configures its device itself is left alone.
/// </summary>
internal sealed class ExecContender(ContenderSpec spec, AddressPlan plan) : Contender(spec, plan)
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(15), s_stopLimit = TimeSpan.FromSeconds(3);

    private readonly List<Child> _processes = [];
    private int _mtu;

    internal override IReadOnlyList<int> Daemons => [.. _processes.SelectMany(p => ProcessTable.WithDescendants(p.Pid))];

    internal override async Task StartAsync(Topology topology, CancellationToken cancel)
    {
        if (topology.Nodes.Count != 2) throw LabException.Input($"contender {Name}: a command has one {{peer}}, so it joins two nodes; {topology.Spec} has {topology.Nodes.Count}");
        foreach (Node node in topology.Nodes)
            _processes.Add(node.Namespace.Start("sh", "-c", Spec.Template!.Expand(Values(topology, node))));
        foreach ((Node node, Child process) in topology.Nodes.Zip(_processes))
        {
            long deadline = Environment.TickCount64 + (long)s_startLimit.TotalMilliseconds;
            while (!node.Namespace.HasDevice(Plan.Device))
            {
                if (process.HasEnded) throw new LabException($"contender {Name} ended on node {node.Number} (it must stay in the foreground):\n{process.Log}");
                if (Environment.TickCount64 > deadline) throw new LabException($"contender {Name} made no device {Plan.Device} on node {node.Number}; does its command use {{device}}?\n{process.Log}");
                await Task.Delay(20, cancel).ConfigureAwait(false);
            }
            Complete(node, Other(topology, node));
        }
        AddPods(topology);
    }

    internal override string? Ended => _processes.FirstOrDefault(p => p.HasEnded)?.End;

    protected override void Stop()
    {
        foreach (Child process in _processes) process.Stop(s_stopLimit);
        _processes.Clear();
    }

    protected override int PodMtu(Node node) => _mtu;

    private static Node Other(Topology topology, Node node) => topology.Nodes[2 - node.Number];

    private void Complete(Node node, Node peer)
    {
        if (Tool.Run("ip", "-n", node.Namespace.Name, "-4", "-oneline", "address", "show", "dev", Plan.Device).Length == 0)
            node.Namespace.Batch($"address add {Plan.DeviceAddress(node.Number)}/32 dev {Plan.Device}");
        node.Namespace.Batch($"link set {Plan.Device} up");
        // It fails where no route leads there at all, which is what a program that only makes a device leaves.
        (_, string route, _) = Tool.Try("", "ip", "-n", node.Namespace.Name, "route", "get", Address(peer).ToString());
        string link = Tool.Run("ip", "-n", node.Namespace.Name, "-oneline", "link", "show", "dev", Plan.Device);
        bool isEthernet = link.Contains(" link/ether ", StringComparison.Ordinal);
        if (!route.Contains($"dev {Plan.Device}", StringComparison.Ordinal))
        {
            // Over Ethernet the node must ask for its peer's address: for a pod's nobody behind the tunnel would answer.
            string gateway = isEthernet ? $"via {Plan.DeviceAddress(peer.Number)} onlink " : "";
            node.Namespace.Batch($"route replace {Plan.Subnet(peer.Number)} {gateway}dev {Plan.Device}");
        }
        else if (isEthernet && node.Pod is not null)
        {
            // The program's own route asks for the pods' addresses; at once, not after up to 0.8 s (arp(7), proxy_delay).
            node.Namespace.Sysctl($"net/ipv4/conf/{Plan.Device}/proxy_arp", "1");
            node.Namespace.Sysctl($"net/ipv4/neigh/{Plan.Device}/proxy_delay", "0");
        }
        _mtu = int.Parse(link.Split(" mtu ")[1].Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private Dictionary<string, string> Values(Topology topology, Node node) => new()
    {
        ["local"] = node.Address.ToString(),
        ["peer"] = Other(topology, node).Address.ToString(),
        ["subnet"] = Plan.Subnet(node.Number),
        ["peer_subnet"] = Plan.Subnet(Other(topology, node).Number),
        ["network"] = Plan.Network,
        ["device"] = Plan.Device,
        ["node"] = node.Number.ToString(CultureInfo.InvariantCulture),
    };
}
