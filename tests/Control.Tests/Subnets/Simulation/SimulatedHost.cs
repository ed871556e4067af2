using System.Net;
using System.Text.Json;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Subnets.Simulation;

/// <summary>A host that runs the control plane as the daemon does: acquire, keep, watch; after a loss or a crash again from the beginning.</summary>
internal sealed class SimulatedHost
{
    private readonly ClusterSimulation _cluster;
    private readonly Random _random;
    private CancellationTokenSource? _life;
    private TimeSpan _downtime;
    private string _address;
    private int _cuts;

    public SimulatedHost(ClusterSimulation cluster, int number)
    {
        (_cluster, _random, Number) = (cluster, new(cluster.Random.Next()), number);
        _address = NewAddress();
        Registry = new(cluster.Store, cluster.Time, Name)
        {
            Latency = () => TimeSpan.FromMilliseconds(_random.Next(100) == 0 ? _random.Next(3000) : _random.Next(1, 30)),
            Inject = InjectCallFault,
            InjectChange = InjectChangeFault,
        };
        CleanSince = cluster.Now;
    }

    public int Number { get; }

    public string Name => $"host{Number}";

    public FakeRegistry Registry { get; }

    public LogRecorder Log { get; } = new(LogLevel.Warning);

    /// <summary>The subnet whose packets its data plane carries; null while it has none.</summary>
    public LeasedSubnet? Believes { get; private set; }

    public LeaseTable Table { get; private set; } = new();

    public LeaseKeeper? Keeper { get; private set; }

    /// <summary>Every address it ever had: what it wrote under any of them is its own.</summary>
    public HashSet<string> Addresses { get; } = [];

    /// <summary>When it last was restarted, changed, or hindered.</summary>
    public long CleanSince { get; private set; }

    /// <summary>When it was last cut off from its store.</summary>
    public long CutSince { get; private set; }

    public LeasedSubnet? SubnetFile { get; set; }

    /// <summary>Faults of its next calls, of whatever kind they are.</summary>
    public Queue<RegistryFault> CallFaults { get; } = new();

    public bool LosesHistory { get; set; }

    public long TimesUnknownUntil { get; set; }

    public long ChangesFaultyUntil { get; set; }

    /// <summary>One more partition between the host and its store, or one less.</summary>
    public void Cut(int by)
    {
        if (_cuts == 0) CutSince = _cluster.Now;
        _cuts += by;
        Registry.IsAway = _cuts > 0;
        Disturb();
    }

    public void Disturb() => CleanSince = _cluster.Now;

    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            _downtime = TimeSpan.FromSeconds(1);
            using var life = CancellationTokenSource.CreateLinkedTokenSource(stop);
            _life = life;
            try
            {
                await LiveAsync(life.Token);
            }
            catch (LeaseLostException e)
            {
                _cluster.Trace($"{Name} ends: {e.Message}");
            }
            catch (OperationCanceledException) when (life.IsCancellationRequested)
            {
                // A crash, or the end of the simulation.
            }
            (Believes, Keeper, _life) = (null, null, null);
            Disturb();
            await Task.Delay(_downtime, _cluster.Time, stop);
        }
    }

    public void Crash(TimeSpan downtime)
    {
        _downtime = downtime;
        _life?.Cancel();
    }

    public void ChangeAddress()
    {
        _address = NewAddress();
        Disturb();
        Keeper?.Publish(Attributes);
    }

    private LeaseAttributes Attributes => new()
    {
        PublicIP = IPAddress.Parse(_address),
        BackendType = "vxlan",
        BackendData = JsonDocument.Parse($$"""{"VNI":1,"VtepMAC":"02:00:00:00:00:{{Number:x2}}"}""").RootElement.Clone(),
    };

    private async Task LiveAsync(CancellationToken life)
    {
        Table = new();
        await using var store = new RegistrySubnetStore(Registry, _cluster.Time, new(_random.Next()), Log, ClusterSimulation.StoreOptions);
        Lease own = await AcquireAsync(store, life);
        _cluster.Trace($"{Name} ({own.Attributes.PublicIP}) holds {own.Subnet}");
        (Believes, SubnetFile) = (own.Subnet, own.Subnet);
        Disturb();
        Keeper = new(store, _cluster.Network, own, ClusterSimulation.KeeperOptions, _cluster.Time, new(_random.Next()), Log);
        Keeper.Publish(Attributes);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(life);
        Task keeping = Keeper.RunAsync(either.Token), watching = WatchAsync(store, Keeper, either.Token);
        await Task.WhenAny(keeping, watching);
        Cancel(either);
        await keeping;
        await watching;
    }

    private async Task<Lease> AcquireAsync(RegistrySubnetStore store, CancellationToken life)
    {
        while (true)
        {
            try
            {
                return await store.AcquireAsync(new(_cluster.Network, Attributes, SubnetFile), life);
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), _cluster.Time, life);
            }
            catch (LeaseException e)
            {
                _cluster.Trace($"{Name}: {e.Message}");
                await Task.Delay(TimeSpan.FromSeconds(5), _cluster.Time, life);
            }
        }
    }

    private async Task WatchAsync(RegistrySubnetStore store, LeaseKeeper keeper, CancellationToken cancel)
    {
        await foreach (LeaseUpdate update in store.WatchAsync(_cluster.Network, cancel))
        {
            IReadOnlyCollection<Lease> before = Table.Current;
            Table.Apply(update);
            _cluster.Invariants.CheckRemovals(this, before);
            keeper.Observe(update);
        }
    }

    private RegistryFault InjectCallFault(string call)
    {
        if (call == "WatchAsync")
        {
            bool lost = LosesHistory;
            LosesHistory = false;
            return lost ? RegistryFault.HistoryLost : RegistryFault.None;
        }
        if (CallFaults.TryDequeue(out RegistryFault fault))
        {
            Disturb();
            // What a write is decided by is read linearizably (the registry's contract); what a watch begins with may still come from a member that lags.
            bool decides = call != "ListAsync" || Believes is null || Keeper?.Status.IsHeld != true;
            return fault == RegistryFault.Stale && decides ? RegistryFault.NoRequest : fault;
        }
        return _cluster.Now < TimesUnknownUntil ? RegistryFault.TimeToLiveUnknown : RegistryFault.None;
    }

    private ChangeFault InjectChangeFault(RegistryChange change)
    {
        if (_cluster.Now >= ChangesFaultyUntil) return ChangeFault.None;
        Disturb();
        return (ChangeFault)_random.Next(5);
    }

    private string NewAddress()
    {
        string address = $"192.0.{10 + Number}.{1 + Addresses.Count}";
        Addresses.Add(address);
        return address;
    }

    // Not CancelAsync: that runs the callbacks on another thread.
    private static void Cancel(CancellationTokenSource source) => source.Cancel();
}
