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
                $"address add {Plan.DeviceAddress(node.Number)}/32 dev {Plan.Device}");
            node.Namespace.BridgeBatch([.. OthersOf(node).Select(p => $"fdb replace {Plan.Mac(p.Number)} dev {Plan.Device} dst {p.Address} self permanent")]);
            SetUp(node);
        }
        AddPods(topology);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Down it has no socket. GRO asks nobody which socket a datagram is for while a namespace has a single one of this kind (net/ipv4/udp_offload.c, udp_tunnel_update_gro_lookup), which is 2.5 % of
    /// all samples wire-like: with a second one that waits, another contender's would be measured without.
    /// </summary>
    internal override Task StandAsideAsync(Action<string> notice, CancellationToken cancel)
    {
        foreach (Node node in _nodes) node.Namespace.Batch($"link set {Plan.Device} down");
        return Task.CompletedTask;
    }

    internal override Task TakePlaceAsync(Action<string> notice, CancellationToken cancel)
    {
        foreach (Node node in _nodes)
        {
            SetUp(node);
            foreach (SilentPeers.Step step in _silent.Again()) ChangeRoutes(node, step);
        }
        return Task.CompletedTask;
    }

    internal override Task SetPeersAsync(int count, CancellationToken cancel)
    {
        foreach (SilentPeers.Step step in _silent.Change(count - 1))
        {
            cancel.ThrowIfCancellationRequested();
            foreach (Node node in _nodes)
            {
                node.Namespace.BridgeBatch([.. step.Numbers.Select(i => $"fdb {step.Verb} {AddressPlan.SilentMac(i)} dev {Plan.Device} dst {AddressPlan.SilentAddress(i)} self permanent")]);
                ChangeRoutes(node, step);
            }
        }
        return Task.CompletedTask;
    }

    /// <summary>With what goes when the device is set down; forwarding entries and addresses stay.</summary>
    private void SetUp(Node node) => node.Namespace.Batch([$"link set {Plan.Device} up", .. OthersOf(node).SelectMany(p => new[]
    {
        $"neighbour replace {Plan.DeviceAddress(p.Number)} lladdr {Plan.Mac(p.Number)} dev {Plan.Device} nud permanent",
        $"route replace {Plan.Subnet(p.Number)} via {Plan.DeviceAddress(p.Number)} dev {Plan.Device} onlink",
    })]);

    private void ChangeRoutes(Node node, SilentPeers.Step step)
    {
        // flannel has a gateway per route. With 100,000 different ones on one device the kernel (6.18) takes minutes to add them, 1 ms each and
        // more, and a packet is not looked up any differently: one gateway for all.
        IPAddress gateway = Plan.DeviceAddress(OthersOf(node).First().Number);
        node.Namespace.Batch([.. step.Numbers.SelectMany(i => new[]
        {
            $"neighbour {step.Verb} {Plan.SilentDeviceAddress(i)} lladdr {AddressPlan.SilentMac(i)} dev {Plan.Device} nud permanent",
            $"route {step.Verb} {Plan.SilentSubnet(i)} via {gateway} dev {Plan.Device} onlink",
        })]);
    }

    private IEnumerable<Node> OthersOf(Node node) => _nodes.Where(p => p != node);

    protected override int PodMtu(Node node) => _mtu;
}
