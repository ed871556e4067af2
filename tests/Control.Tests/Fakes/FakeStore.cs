using System.Text;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Tests.Fakes;

/// <summary>
/// What all <see cref="FakeRegistry"/> of a cluster share: keys with revisions and times to live on a virtual clock, a history that can be compacted, and
/// the means to do to it what operators, other programs and broken disks do. Keys end exactly when their time has come.
/// </summary>
internal sealed class FakeStore(ManualTimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<RegistryChange> _history = [];
    private SortedDictionary<string, Stored> _keys = new(StringComparer.Ordinal);
    // Completed on the thread that writes: continuations on another would leave the virtual clock.
    private TaskCompletionSource _changed = new();

    private sealed record Stored(byte[] Value, long? ExpiresAt, long CreateRevision, long ModRevision, ITimer? Expiry);

    /// <summary>A copy of everything, for restoring it or answering from it.</summary>
    internal sealed record State(RegistrySnapshot Snapshot, IReadOnlyDictionary<string, long?> ExpiresAt);

    public byte[]? Config { get; set; }

    public long Revision { get; private set; } = 1;

    /// <summary>Changes up to this revision are not to be had any more.</summary>
    public long CompactedRevision { get; private set; }

    /// <summary>Told of each write before it is done: who, key, value before, value after.</summary>
    public Action<string, string, byte[]?, byte[]?>? Writing { get; set; }

    /// <summary>Told of each change after it was done.</summary>
    public Action<RegistryChange>? Changed { get; set; }

    public RegistrySnapshot List()
    {
        lock (_lock) return new([.. _keys.Select(pair => ToEntry(pair.Key, pair.Value))], Revision);
    }

    public RegistryEntry? Read(string key)
    {
        lock (_lock) return _keys.TryGetValue(key, out Stored? stored) ? ToEntry(key, stored) : null;
    }

    public RegistryEntry? Create(string by, string key, byte[] value, TimeSpan? timeToLive) => Write(by, key, value, timeToLive, stored => stored is null);

    public RegistryEntry? Replace(string by, string key, byte[] value, TimeSpan? timeToLive, long modRevision) =>
        Write(by, key, value, timeToLive, stored => stored?.ModRevision == modRevision);

    /// <summary>Writes whatever is there, as stock does when it renews.</summary>
    public RegistryEntry Put(string by, string key, string value, TimeSpan? timeToLive) => Write(by, key, Encoding.UTF8.GetBytes(value), timeToLive, _ => true)!;

    public bool Delete(string by, string key, long? modRevision = null)
    {
        lock (_lock)
        {
            if (!_keys.TryGetValue(key, out Stored? stored) || (modRevision ?? stored.ModRevision) != stored.ModRevision) return false;
            Writing?.Invoke(by, key, stored.Value, null);
            Remove(key, stored);
            return true;
        }
    }

    /// <summary>Deletes several keys that are there in one transaction, as "etcdctl del --prefix" does: one revision for all.</summary>
    public void DeleteTogether(string by, params IReadOnlyList<string> keys)
    {
        lock (_lock)
        {
            if (keys.Count > 0) Revision++;
            for (int i = 0; i < keys.Count; i++)
            {
                Writing?.Invoke(by, keys[i], _keys[keys[i]].Value, null);
                _keys[keys[i]].Expiry?.Dispose();
                _keys.Remove(keys[i]);
                RegistryChange change = new(keys[i], null, Revision, IsLast: i + 1 == keys.Count);
                _history.Add(change);
                Changed?.Invoke(change);
            }
            Pulse();
        }
    }

    public void Compact() => CompactedRevision = Revision;

    public State Copy()
    {
        lock (_lock) return new(List(), _keys.ToDictionary(pair => pair.Key, pair => pair.Value.ExpiresAt));
    }

    /// <summary>Goes back to a copy: revisions start again from there, and what happened since is forgotten.</summary>
    public void Restore(State copy)
    {
        lock (_lock)
        {
            foreach (Stored stored in _keys.Values) stored.Expiry?.Dispose();
            var keys = new SortedDictionary<string, Stored>(StringComparer.Ordinal);
            foreach (RegistryEntry entry in copy.Snapshot.Entries)
            {
                long? expiresAt = copy.ExpiresAt[entry.Key];
                TimeSpan? left = expiresAt is { } at ? Max(time.GetElapsedTime(time.GetTimestamp(), at), TimeSpan.FromSeconds(1)) : null;
                keys[entry.Key] = new(entry.Value.ToArray(), left is { } span ? time.GetTimestamp() + span.Ticks : null, entry.CreateRevision, entry.ModRevision, Expiry(entry.Key, left));
            }
            (_keys, Revision, CompactedRevision) = (keys, copy.Snapshot.Revision, copy.Snapshot.Revision);
            _history.Clear();
            Pulse();
        }
    }

    /// <summary>Changes after a revision that still can be had, oldest first.</summary>
    public IReadOnlyList<RegistryChange> HistoryAfter(long revision)
    {
        lock (_lock)
        {
            int first = _history.Count;
            while (first > 0 && _history[first - 1].Revision > revision) first--;
            return _history[first..];
        }
    }

    /// <summary>Ends when something changes after it was taken, or somebody calls <see cref="Pulse"/>.</summary>
    public Task NextChange
    {
        get
        {
            lock (_lock) return _changed.Task;
        }
    }

    public void Pulse()
    {
        lock (_lock)
        {
            TaskCompletionSource changed = _changed;
            _changed = new();
            changed.SetResult();
        }
    }

    private RegistryEntry? Write(string by, string key, byte[] value, TimeSpan? timeToLive, Func<Stored?, bool> condition)
    {
        lock (_lock)
        {
            Stored? before = _keys.GetValueOrDefault(key);
            if (!condition(before)) return null;
            Writing?.Invoke(by, key, before?.Value, value);
            before?.Expiry?.Dispose();
            Revision++;
            var stored = new Stored(
                value, timeToLive is { } span ? time.GetTimestamp() + span.Ticks : null, before?.CreateRevision ?? Revision, Revision, Expiry(key, timeToLive));
            _keys[key] = stored;
            RegistryEntry entry = ToEntry(key, stored);
            Record(new(key, entry, Revision));
            return entry;
        }
    }

    private ITimer? Expiry(string key, TimeSpan? timeToLive) => timeToLive is not { } span ? null : time.CreateTimer(_ =>
    {
        lock (_lock)
        {
            if (_keys.TryGetValue(key, out Stored? stored) && stored.ExpiresAt <= time.GetTimestamp()) Remove(key, stored);
        }
    }, null, span, Timeout.InfiniteTimeSpan);

    private void Remove(string key, Stored stored)
    {
        stored.Expiry?.Dispose();
        _keys.Remove(key);
        Revision++;
        Record(new(key, null, Revision));
    }

    private void Record(RegistryChange change)
    {
        _history.Add(change);
        Changed?.Invoke(change);
        Pulse();
    }

    private RegistryEntry ToEntry(string key, Stored stored) => new(
        key, stored.Value, stored.ExpiresAt is { } at ? time.GetElapsedTime(time.GetTimestamp(), at) : null, true, stored.CreateRevision, stored.ModRevision);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
