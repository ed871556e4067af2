using System.Globalization;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// The kernel's VXLAN device as flannel's vxlan backend sets it up (pkg/backend/vxlan): no learning, one neighbour entry, one
/// forwarding entry and one onlink route per peer, all put there by hand.
/// </summary>
internal sealed class KernelVxlanContender(ContenderSpec spec, int index) : Contender(spec, index)
{
    private const int Overhead = 50;
    private int _mtu;

    internal override Task StartAsync(Topology topology, CancellationToken cancel)
    {
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

    protected override int PodMtu(Node node) => _mtu;
}
