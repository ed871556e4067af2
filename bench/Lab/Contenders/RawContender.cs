using System.Net;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>No overlay. Between pods: routes on the nodes, as flannel's host-gw backend sets them.</summary>
internal sealed class RawContender(ContenderSpec spec, AddressPlan plan) : Contender(spec, plan)
{
    private readonly SilentPeers _silent = new();
    private Topology? _topology;
    private int _mtu;

    internal override IPAddress Address(Node node) => node.Pod is null ? node.Address : Plan.PodAddress(node.Number);

    internal override Task StartAsync(Topology topology, CancellationToken cancel)
    {
        _topology = topology;
        _mtu = topology.Underlay.Mtu;
        if (topology.Spec.Kind != TopologyKind.Pods) return Task.CompletedTask;
        AddPods(topology);
        foreach (Node node in topology.Nodes)
        {
            foreach (Node peer in topology.Nodes.Where(p => p != node))
                node.Namespace.Batch($"route add {Plan.Subnet(peer.Number)} via {peer.Address}");
        }
        return Task.CompletedTask;
    }

    internal override Task SetPeersAsync(int count, CancellationToken cancel)
    {
        foreach (SilentPeers.Step step in _silent.Change(count - 1))
        {
            cancel.ThrowIfCancellationRequested();
            foreach (Node node in _topology!.Nodes)
            {
                Node peer = _topology.Nodes.First(p => p != node);
                node.Namespace.Batch([.. step.Numbers.Select(i => $"route {step.Verb} {Plan.SilentSubnet(i)} via {peer.Address}")]);
            }
        }
        return Task.CompletedTask;
    }

    protected override int PodMtu(Node node) => _mtu;
}
