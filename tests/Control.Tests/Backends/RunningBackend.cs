using System.Collections.Concurrent;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>A backend on a host, driven as the daemon drives it: the leases are applied again whenever it says that something is to be repaired.</summary>
internal sealed class RunningBackend : IDisposable
{
    private readonly Node _node;
    private volatile IReadOnlyCollection<Lease> _leases = [];
    private int _disposed;

    private RunningBackend(Node node, NetworkConfig network, IBackend backend)
    {
        _node = node;
        Network = network;
        Backend = backend;
        backend.AnnouncementChanged += () => Interlocked.Increment(ref _announcements);
        backend.RepairNeeded += () =>
        {
            RepairCalls.Add(Environment.TickCount64);
            node.Post(Repair);
        };
    }

    private int _announcements;

    internal IBackend Backend { get; }

    internal NetworkConfig Network { get; }

    /// <summary>When repairs were asked for.</summary>
    internal ConcurrentBag<long> RepairCalls { get; } = [];

    /// <summary>What repairs did.</summary>
    internal ConcurrentQueue<ApplyResult> Repairs { get; } = new();

    internal int Announcements => Volatile.Read(ref _announcements);

    /// <summary>Prepares and starts it with the host's own subnet.</summary>
    internal static RunningBackend Start(Node node, NetworkConfig network, BackendFactory prepare, ExternalInterface? external = null) => node.Do(() =>
    {
        IBackend backend = prepare(new(network, external ?? Cluster.Underlay(node), new(), NullLoggerFactory.Instance));
        RunningBackend running = new(node, network, backend);
        backend.Start(running.OwnLease);
        return running;
    });

    /// <summary>This host's lease, as it would be published now.</summary>
    internal Lease OwnLease => Cluster.Lease(_node.Number, Network, Backend.Announcement);

    /// <summary>Its VtepMAC as published.</summary>
    internal string Mac => Backend.Announcement.BackendData.GetProperty("VtepMAC").GetString()!;

    /// <summary>The same of its IPv6 device.</summary>
    internal string MacV6 => Backend.Announcement.BackendV6Data.GetProperty("VtepMAC").GetString()!;

    /// <summary>Applies the leases of other hosts, and from now on again at every repair.</summary>
    internal ApplyResult Apply(params IReadOnlyCollection<Lease> others)
    {
        _leases = [OwnLease, .. others];
        return _node.Do(() => Backend.Apply(_leases));
    }

    /// <summary>Ends it as the daemon does at its end.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _node.Do(Backend.Dispose);
    }

    private void Repair()
    {
        if (_disposed == 0) Repairs.Enqueue(Backend.Apply(_leases));
    }
}
