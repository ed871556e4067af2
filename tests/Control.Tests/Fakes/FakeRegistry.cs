using System.Runtime.CompilerServices;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Tests.Fakes;

/// <summary>What can go wrong with one call.</summary>
internal enum RegistryFault
{
    None,

    /// <summary>The call never reaches the store.</summary>
    NoRequest,

    /// <summary>The store does what it was asked; the answer is lost.</summary>
    NoAnswer,

    /// <summary>The answer is from <see cref="FakeRegistry.StaleState"/>.</summary>
    Stale,

    /// <summary>The store cannot say how long keys live.</summary>
    TimeToLiveUnknown,

    /// <summary>A watch is told that the changes are gone.</summary>
    HistoryLost,
}

/// <summary>What can go wrong with one change of a watch.</summary>
internal enum ChangeFault
{
    None,
    Lost,
    Twice,

    /// <summary>Comes after the next one.</summary>
    Late,

    /// <summary>The stream breaks before it.</summary>
    Broken,
}

/// <summary>One host's way to a <see cref="FakeStore"/>, with the faults that are asked for.</summary>
/// <param name="store">What it leads to.</param>
/// <param name="time">The clock.</param>
/// <param name="host">Who writes, for <see cref="FakeStore.Writing"/>.</param>
internal sealed class FakeRegistry(FakeStore store, ManualTimeProvider time, string host = "test") : ISubnetRegistry
{
    private bool _isAway;
    private int _breaks;

    public string Description => "the fake store";

    /// <summary>Asked before each call, with the name of the method.</summary>
    public Func<string, RegistryFault> Inject { get; set; } = _ => RegistryFault.None;

    /// <summary>Asked for each change of a watch.</summary>
    public Func<RegistryChange, ChangeFault> InjectChange { get; set; } = _ => ChangeFault.None;

    /// <summary>How long a call takes, half before the store acts and half after.</summary>
    public Func<TimeSpan> Latency { get; set; } = () => TimeSpan.Zero;

    public FakeStore.State? StaleState { get; set; }

    /// <summary>Names of the calls made, in order.</summary>
    public List<string> Calls { get; } = [];

    public bool IsDisposed { get; private set; }

    /// <summary>True while nothing gets through in either direction; open watches break.</summary>
    public bool IsAway
    {
        get => _isAway;
        set
        {
            _isAway = value;
            if (value) BreakWatches();
        }
    }

    public void BreakWatches()
    {
        _breaks++;
        store.Pulse();
    }

    public Task<byte[]?> ReadConfigAsync(CancellationToken cancel) => CallAsync(() => store.Config, _ => store.Config, cancel);

    public Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel) => CallAsync(() => store.Config = value.ToArray(), null, cancel);

    public Task<RegistrySnapshot> ListAsync(CancellationToken cancel) => CallAsync(store.List, stale => stale.Snapshot, cancel, snapshot =>
        snapshot with { Entries = [.. snapshot.Entries.Select(Forget)] });

    public Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel) => CallAsync(() => store.Read(key),
        stale => stale.Snapshot.Entries.FirstOrDefault(entry => entry.Key == key), cancel, entry => entry is null ? null : Forget(entry));

    public Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel) =>
        CallAsync(() => store.Create(host, key, value.ToArray(), timeToLive), null, cancel);

    public Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel) =>
        CallAsync(() => store.Replace(host, key, value.ToArray(), timeToLive, modRevision), null, cancel);

    public Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel) => CallAsync(() => store.Delete(host, key, modRevision), null, cancel);

    public async IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, [EnumeratorCancellation] CancellationToken cancel)
    {
        Calls.Add("WatchAsync");
        int breaks = _breaks;
        await Task.Delay(Latency() / 2, time, cancel);
        RegistryFault fault = Inject("WatchAsync");
        if (IsAway || fault is RegistryFault.NoRequest or RegistryFault.NoAnswer) throw Unavailable();
        if (fault == RegistryFault.HistoryLost || afterRevision < store.CompactedRevision) throw new RegistryHistoryLostException("the fake store compacted its history");
        var late = new Queue<RegistryChange>();
        while (true)
        {
            Task next = store.NextChange;
            foreach (RegistryChange change in store.HistoryAfter(afterRevision))
            {
                afterRevision = change.Revision;
                ChangeFault changeFault = InjectChange(change);
                if (changeFault == ChangeFault.Broken) throw Unavailable();
                if (changeFault == ChangeFault.Late) late.Enqueue(change);
                if (changeFault is ChangeFault.Lost or ChangeFault.Late) continue;
                for (int i = changeFault == ChangeFault.Twice ? 2 : 1; i > 0; i--) yield return change;
                while (late.TryDequeue(out RegistryChange? delayed)) yield return delayed;
            }
            await next.WaitAsync(cancel);
            await Task.Delay(Latency() / 2, time, cancel);
            if (breaks != _breaks) throw Unavailable();
        }
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    private async Task<T> CallAsync<T>(
        Func<T> act, Func<FakeStore.State, T>? stale, CancellationToken cancel, Func<T, T>? forgetTimes = null, [CallerMemberName] string call = "")
    {
        Calls.Add(call);
        await Task.Delay(Latency() / 2, time, cancel);
        RegistryFault fault = Inject(call);
        if (IsAway || fault == RegistryFault.NoRequest) throw Unavailable();
        T result = fault == RegistryFault.Stale && stale is not null && StaleState is { } state ? stale(state) : act();
        await Task.Delay(Latency() / 2, time, cancel);
        if (IsAway || fault == RegistryFault.NoAnswer) throw Unavailable();
        return fault == RegistryFault.TimeToLiveUnknown && forgetTimes is not null ? forgetTimes(result) : result;
    }

    private static RegistryEntry Forget(RegistryEntry entry) => entry with { TimeToLive = null, IsTimeToLiveKnown = false };

    private static StoreUnavailableException Unavailable() => new("the fake store is away");
}
