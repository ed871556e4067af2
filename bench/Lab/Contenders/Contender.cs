using System.Net;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>Something that carries packets between the nodes of a topology.</summary>
internal abstract class Contender(ContenderSpec spec, AddressPlan plan) : IDisposable
{
    internal ContenderSpec Spec { get; } = spec;

    internal AddressPlan Plan { get; } = plan;

    internal string Name => Spec.Name;

    /// <summary>Processes that belong to it, with their descendants; none where the kernel does the work.</summary>
    internal virtual IReadOnlyList<int> Daemons => [];

    /// <summary>Address at which the programs of a node are reached through this contender.</summary>
    internal virtual IPAddress Address(Node node) => node.Pod is null ? Plan.DeviceAddress(node.Number) : Plan.PodAddress(node.Number);

    /// <summary>Brings it up on every node and returns when it is ready for traffic.</summary>
    /// <exception cref="LabException">It does not come up.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal abstract Task StartAsync(Topology topology, CancellationToken cancel);

    /// <summary>Puts back what <see cref="StandAsideAsync"/> took away, and returns when that is ready for traffic.</summary>
    /// <param name="notice">Told what it has to do without.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="LabException">It cannot.</exception>
    internal virtual Task TakePlaceAsync(Action<string> notice, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Takes what it has on interfaces that all contenders share out of the others' way; nothing where it has nothing there.</summary>
    /// <param name="notice">Told what could not be taken away.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="LabException">It cannot.</exception>
    internal virtual Task StandAsideAsync(Action<string> notice, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Dropped packets so far by direction and reason, all nodes together; empty where it does not say.</summary>
    internal virtual IReadOnlyDictionary<string, long> Drops() => new Dictionary<string, long>();

    /// <summary>How one of its processes ended, which none should; null while all run.</summary>
    internal virtual string? Ended => null;

    /// <summary>Lets it know as many peers on every node, the one that is there and silent ones.</summary>
    /// <exception cref="LabException">It cannot.</exception>
    internal virtual Task SetPeersAsync(int count, CancellationToken cancel) =>
        throw new LabException($"contender {Name}: the lab does not know how to give it more peers");

    /// <summary>Ends what was started. Devices and routes vanish with the namespaces.</summary>
    public void Dispose() => Stop();

    /// <summary>Makes the contender that a specification names.</summary>
    /// <param name="spec">The specification.</param>
    /// <param name="index">Its place in the run, from 0.</param>
    /// <param name="directory">Where its files may be.</param>
    /// <param name="isWide">Whether its network must have room for many peers, whatever the specification says.</param>
    internal static Contender Create(ContenderSpec spec, int index, string directory, bool isWide)
    {
        var plan = new AddressPlan(index, isWide || spec.Peers is not null);
        return spec.Kind switch
        {
            ContenderKind.Raw => new RawContender(spec, plan),
            ContenderKind.KernelVxlan => new KernelVxlanContender(spec, plan),
            ContenderKind.Exec or ContenderKind.Bare => new ExecContender(spec, plan),
            _ => new EngineContender(spec, plan, directory),
        };
    }

    /// <summary>Ends the processes, if there are any.</summary>
    protected virtual void Stop()
    {
    }

    /// <summary>Gives the pods their addresses in this contender's network; nothing where there are no pods.</summary>
    protected void AddPods(Topology topology)
    {
        foreach (Node node in topology.Nodes)
        {
            if (node.Pod is not { } pod) continue;
            (IPAddress gateway, IPAddress address) = (Plan.BridgeAddress(node.Number), Plan.PodAddress(node.Number));
            node.Namespace.Batch($"address add {gateway}/{Plan.SubnetLength} dev {Node.Bridge}");
            pod.Batch($"address add {address}/{Plan.SubnetLength} dev {Node.Device}", $"route add {Plan.Network} via {gateway} src {address} mtu {PodMtu(node)}");
        }
    }

    /// <summary>Flannel tells the CNI plugin the overlay's MTU; a pod that kept 1500 would have its packets refused.</summary>
    protected abstract int PodMtu(Node node);
}
