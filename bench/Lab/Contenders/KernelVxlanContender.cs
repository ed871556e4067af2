using System.Globalization;
using System.Net;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// The kernel's VXLAN device as flannel's vxlan backend sets it up (pkg/backend/vxlan): no learning, one neighbour entry, one
/// forwarding entry and one onlink route per peer, all put there by hand.
/// </summary>
internal sealed class KernelVxlanContender(ContenderSpec spec, AddressPlan plan) : Contender(spec, plan)
{
    private const int Overhead = 50;
    private readonly SilentPeers _silent = new();
    private IReadOnlyList<Node> _nodes = [];
    private int _mtu;

    internal override Task StartAsync(Topology topology, CancellationToken cancel)
    {
        _nodes = topology.Nodes;
        _mtu = topology.Underlay.Mtu - Overhead;
        foreach (Node node in topology.Nodes)
        {
            node.Namespace.Batch(
                string.Create(CultureInfo.InvariantCulture, $"link add {Plan.Device} address {Plan.Mac(node.Number)} mtu {_mtu} txqueuelen 0 type vxlan id 1 local {node.Address} dev {Node.Device} dstport {Plan.Port(8472)} nolearning"),
                $"address add {Plan.DeviceAddress(node.Number)}/32 dev {Plan.Device}",
                $"link set {Plan.Device} up");
            Node[] peers = [.. topology.Nodes.Where(p => p != node)];
            node.Namespace.BridgeBatch([.. peers.Select(p => $"fdb replace {Plan.Mac(p.Number)} dev {Plan.Device} dst {p.Address} self permanent")]);
            node.Namespace.Batch([.. peers.SelectMany(p => new[]
            {
                $"neighbour replace {Plan.DeviceAddress(p.Number)} lladdr {Plan.Mac(p.Number)} dev {Plan.Device} nud permanent",
                $"route replace {Plan.Subnet(p.Number)} via {Plan.DeviceAddress(p.Number)} dev {Plan.Device} onlink",
            })]);
        }
        AddPods(topology);
        return Task.CompletedTask;
    }

    internal override Task SetPeersAsync(int count, CancellationToken cancel)
    {
        foreach (SilentPeers.Step step in _silent.Change(count - 1))
        {
            cancel.ThrowIfCancellationRequested();
            foreach (Node node in _nodes)
            {
                // flannel has a gateway per route. With 100,000 different ones on one device the kernel (6.18) takes minutes to add them, 1 ms each and
                // more, and a packet is not looked up any differently: one gateway for all.
                IPAddress gateway = Plan.DeviceAddress(_nodes.First(p => p != node).Number);
                node.Namespace.BridgeBatch([.. step.Numbers.Select(i => $"fdb {step.Verb} {AddressPlan.SilentMac(i)} dev {Plan.Device} dst {AddressPlan.SilentAddress(i)} self permanent")]);
                node.Namespace.Batch([.. step.Numbers.SelectMany(i => new[]
                {
                    $"neighbour {step.Verb} {Plan.SilentDeviceAddress(i)} lladdr {AddressPlan.SilentMac(i)} dev {Plan.Device} nud permanent",
                    $"route {step.Verb} {Plan.SilentSubnet(i)} via {gateway} dev {Plan.Device} onlink",
                })]);
            }
        }
        return Task.CompletedTask;
    }

    protected override int PodMtu(Node node) => _mtu;
}
