using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Simulation;

/// <summary>Faults in bursts with pauses between them, in which the cluster has to find back to order.</summary>
internal sealed class Chaos
{
    private readonly ClusterSimulation _cluster;
    private readonly Random _random;
    private readonly Action[] _faults;
    private readonly List<Task> _pending = [];
    private FakeStore.State? _backup;
    private long _lastStale;
    private int _ghosts;

    public Chaos(ClusterSimulation cluster)
    {
        (_cluster, _random) = (cluster, new(cluster.Random.Next()));
        _faults =
        [
            PartitionHost, PartitionHost, PartitionAll, LoseRequests, LoseAnswers, LoseAnswers, AnswerStale, ForgetTimes, SpoilChanges, SpoilChanges, BreakWatch,
            Compact, LoseHistory, BackUp, Restore, DeleteKey, DeleteKey, DeleteSeveral, OverwriteKey, OverwriteWithGarbage, WriteGarbage, WriteHostile, Reserve, CrashHost,
            CrashHost, CrashAll, ChangeAddress, JumpClock,
        ];
    }

    public async Task RunAsync()
    {
        for (int burst = _random.Next(1, 4); burst > 0; burst--)
        {
            await Pause(1, 120);
            for (int n = _random.Next(1, 12); n > 0; n--)
            {
                _faults[_random.Next(_faults.Length)]();
                await Pause(0, 15);
            }
            await Pause(100, 180);
        }
        await Task.WhenAll(_pending);
        CleanUp();
    }

    private SimulatedHost AnyHost => _cluster.Hosts[_random.Next(_cluster.Hosts.Count)];

    private void PartitionHost() => PartitionHost(AnyHost, Seconds(1, _random.Next(3) == 0 ? 480 : 60));

    private void PartitionAll()
    {
        TimeSpan length = Seconds(1, _random.Next(3) == 0 ? 480 : 60);
        foreach (SimulatedHost host in _cluster.Hosts) PartitionHost(host, length);
    }

    private void PartitionHost(SimulatedHost host, TimeSpan length)
    {
        _cluster.Trace($"{host.Name} is cut off for {length.TotalSeconds:0} s");
        _pending.Add(CutAsync());

        async Task CutAsync()
        {
            host.Cut(1);
            await Task.Delay(length, _cluster.Time);
            host.Cut(-1);
        }
    }

    private void LoseRequests() => Spoil(RegistryFault.NoRequest, 4);

    private void LoseAnswers() => Spoil(RegistryFault.NoAnswer, 3);

    private void AnswerStale()
    {
        // A third answer in a row is believed: a store restored from a backup answers so for ever.
        if (_backup is null || _cluster.Time.GetElapsedTime(_lastStale) < TimeSpan.FromSeconds(90)) return;
        _lastStale = _cluster.Now;
        foreach (SimulatedHost host in _cluster.Hosts) host.Registry.StaleState ??= _backup;
        Spoil(RegistryFault.Stale, 2);
    }

    private void Spoil(RegistryFault fault, int calls)
    {
        SimulatedHost host = AnyHost;
        for (int n = _random.Next(1, calls + 1); n > 0; n--) host.CallFaults.Enqueue(fault);
        host.Disturb();
        _cluster.Trace($"{host.Name}: {host.CallFaults.Count} calls will fare with {fault}");
    }

    private void ForgetTimes() => AnyHost.TimesUnknownUntil = _cluster.Now + Seconds(1, 90).Ticks;

    private void SpoilChanges()
    {
        SimulatedHost host = AnyHost;
        host.ChangesFaultyUntil = _cluster.Now + Seconds(1, 60).Ticks;
        _cluster.Trace($"{host.Name}: changes are lost, doubled, late");
    }

    private void BreakWatch() => AnyHost.Registry.BreakWatches();

    private void Compact()
    {
        _cluster.Trace("compaction");
        _cluster.Store.Compact();
        foreach (SimulatedHost host in _cluster.Hosts)
            if (_random.Next(2) == 0) host.Registry.BreakWatches();
    }

    private void LoseHistory()
    {
        SimulatedHost host = AnyHost;
        host.LosesHistory = true;
        host.Registry.BreakWatches();
    }

    private void BackUp() => _backup = _cluster.Store.Copy();

    private void Restore()
    {
        if (_backup is null) return;
        _cluster.Trace($"restored to revision {_backup.Snapshot.Revision} from {_cluster.Store.Revision}");
        _cluster.Store.Restore(_backup);
        _cluster.LastRestore = _cluster.Now;
        _cluster.Disturb();
        // A member cannot lag behind a history that is no more.
        foreach (SimulatedHost host in _cluster.Hosts) host.Registry.StaleState = null;
    }

    private void DeleteKey()
    {
        if (AnyKey() is not { } key) return;
        _cluster.Disturb();
        _cluster.Store.Delete("operator", key);
    }

    private void DeleteSeveral()
    {
        string[] keys = [.. _cluster.Store.List().Entries.Where(_ => _random.Next(2) == 0).Select(entry => entry.Key)];
        _cluster.Disturb();
        _cluster.Store.DeleteTogether("operator", keys);
    }

    private void OverwriteKey()
    {
        if (AnyKey() is not { } key) return;
        _cluster.Disturb();
        _cluster.Store.Put("ghost", key, StoreRig.Value($"198.51.100.{++_ghosts}"), Seconds(1, 180));
    }

    private void OverwriteWithGarbage()
    {
        if (AnyKey() is not { } key) return;
        _cluster.Disturb();
        _cluster.Store.Put("vandal", key, "]{", Seconds(1, 180));
    }

    private void WriteGarbage()
    {
        string[] keys = ["garbage", "10.5.1.1-24", "10.5.1.0-33", "fc00::-64", "../config", "10.5.1.0-24&", "\n"];
        _cluster.Store.Put("vandal", keys[_random.Next(keys.Length)], _random.Next(2) == 0 ? "{}" : StoreRig.Value("192.0.11.1"), Seconds(1, 180));
    }

    private void WriteHostile()
    {
        SimulatedHost victim = AnyHost;
        (string Key, string Value)[] leases =
        [
            ("10.5.200.0-24", StoreRig.Value(victim.Addresses.Last())),
            ("10.5.201.0-24", StoreRig.Value("224.0.0.5")),
            ("10.0.0.0-8", StoreRig.Value("198.51.100.250")),
            ("10.5.0.0-20", StoreRig.Value("198.51.100.251")),
            ($"10.5.{1 + _random.Next(6)}.0-25", StoreRig.Value("198.51.100.252")),
            ("10.5.202.0-24", $$$"""{"PublicIP":"198.51.100.253","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:{{{victim.Number:x2}}}"}}"""),
        ];
        (string key, string value) = leases[_random.Next(leases.Length)];
        TimeSpan life = Seconds(1, 150);
        _pending.Add(DisputeAsync());

        async Task DisputeAsync()
        {
            _cluster.Store.Put("vandal", key, value, life);
            for (TimeSpan passed = TimeSpan.Zero; passed <= life; passed += TimeSpan.FromSeconds(1))
            {
                _cluster.Disturb();
                _cluster.LastHostility = _cluster.Now;
                await Task.Delay(TimeSpan.FromSeconds(1), _cluster.Time);
            }
        }
    }

    private void Reserve()
    {
        SimulatedHost host = AnyHost;
        _cluster.Disturb();
        _cluster.LastHostility = _cluster.Now;
        string key = host.Believes is { } own && _random.Next(2) == 0 ? SubnetKey.Format(own) : $"10.5.{1 + _random.Next(6)}.0-24";
        if (_cluster.Store.Read(key) is null || host.Believes is { } held && key == SubnetKey.Format(held))
            _cluster.Store.Put("operator", key, StoreRig.Value(host.Addresses.Last()), null);
    }

    private void CrashHost() => Crash(AnyHost);

    private void CrashAll()
    {
        foreach (SimulatedHost host in _cluster.Hosts) Crash(host);
    }

    private void Crash(SimulatedHost host)
    {
        TimeSpan downtime = Seconds(0, _random.Next(3) == 0 ? 480 : 20);
        _cluster.Trace($"{host.Name} crashes for {downtime.TotalSeconds:0} s");
        if (_random.Next(4) == 0) host.SubnetFile = null;
        host.Crash(downtime);
        _pending.Add(Task.Delay(downtime, _cluster.Time));
    }

    private void ChangeAddress()
    {
        SimulatedHost host = AnyHost;
        host.ChangeAddress();
        _cluster.Trace($"{host.Name} has the address {host.Addresses.Last()} now");
    }

    private void JumpClock() => _cluster.Time.JumpWallClock(TimeSpan.FromHours(_random.Next(-100_000, 100_000)));

    /// <summary>The operator takes away what was written by hand and nobody lives on.</summary>
    private void CleanUp()
    {
        foreach (RegistryEntry entry in _cluster.Store.List().Entries)
        {
            // A host that was cut off until now may believe in what somebody else was given meanwhile.
            bool isUsed = _cluster.Hosts.Exists(host => host.Believes is { } subnet && SubnetKey.Format(subnet) == entry.Key
                && LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? attributes, out _) && host.Addresses.Contains($"{attributes.PublicIP}"));
            if (entry.TimeToLive is null && !isUsed) _cluster.Store.Delete("operator", entry.Key);
        }
    }

    private string? AnyKey()
    {
        IReadOnlyList<RegistryEntry> entries = _cluster.Store.List().Entries;
        return entries.Count == 0 ? null : entries[_random.Next(entries.Count)].Key;
    }

    private Task Pause(int least, int most) => Task.Delay(Seconds(least, most), _cluster.Time);

    private TimeSpan Seconds(int least, int most) => TimeSpan.FromMilliseconds(_random.Next(1000 * least, 1000 * most + 1));
}
