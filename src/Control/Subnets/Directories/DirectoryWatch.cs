using System.Runtime.CompilerServices;

namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// Follows the leases of a directory. The truth is the log and the files, read once a second; inotify only makes that happen sooner, so an event
/// that is missed, late or without meaning does no harm. Files that somebody puts there or takes away by hand are found too.
/// For one caller.
/// </summary>
internal sealed class DirectoryWatch(DirectoryRegistry registry, string path, TimeProvider time, long afterRevision, string storeId)
{
    /// <summary>How often the log is looked at without being told to. Bounds how late the end of a lease is noticed.</summary>
    internal static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    /// <summary>How often every file is read again, for changes by hand of which no notification came.</summary>
    internal static readonly TimeSpan RescanInterval = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, StoredLease> _known = [];
    private readonly List<string> _over = [];
    private long _revision = afterRevision;
    private string _storeId = storeId;
    private long? _lastScan;

    /// <inheritdoc cref="ISubnetRegistry.WatchAsync"/>
    internal async IAsyncEnumerable<RegistryChange> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        // Before the first look: what changes after it must not go unnoticed.
        using var notifier = new DirectoryNotifier(path, time);
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            (IReadOnlyCollection<string> touched, bool isComplete) = notifier.Take();
            bool scan = !isComplete || _lastScan is not { } last || time.GetElapsedTime(last) >= RescanInterval;
            foreach (RegistryChange change in await registry.RunAsync(exclusive: false, files => Look(files, touched, scan), cancel).ConfigureAwait(false))
                yield return change;
            if (_over.Count > 0) await SweepAsync(cancel).ConfigureAwait(false);
            await notifier.WaitAsync(PollInterval, cancel).ConfigureAwait(false);
        }
    }

    private List<RegistryChange> Look(StoreFiles? files, IReadOnlyCollection<string> touched, bool scan)
    {
        RevisionLog log = files?.ReadLog() ?? RevisionLog.Empty;
        ThrowIfHistoryIsLost(log);
        // To which revision a key's change belongs; what is not in the log happened by hand, or is the end of a lease, and belongs to now.
        Dictionary<string, long> suspects = [];
        foreach (string key in touched) suspects[key] = log.Revision;
        if (scan)
        {
            foreach (string key in _known.Keys) suspects[key] = log.Revision;
            foreach (string key in files?.Keys() ?? []) suspects[key] = log.Revision;
        }
        foreach ((string key, StoredLease lease) in _known)
        {
            if (registry.Living(key, lease) is null) suspects[key] = log.Revision;
        }
        HashSet<string> logged = [];
        for (int i = log.Changes.Count - 1; i >= 0 && log.Changes[i].Revision > _revision; i--)
        {
            if (logged.Add(log.Changes[i].Key)) suspects[log.Changes[i].Key] = log.Changes[i].Revision;
        }

        bool isFirst = _lastScan is null;
        List<RegistryChange> changes = [];
        foreach ((string key, long revision) in suspects)
        {
            StoredLease? now = files?.ReadLease(key);
            RegistryEntry? living = registry.Living(key, now);
            if (now is not null && living is null) _over.Add(key);
            _known.TryGetValue(key, out StoredLease? before);
            if (living is null) _known.Remove(key);
            else _known[key] = now!;
            // The first look has nothing to compare with: the caller has seen all but what the log tells and what has just ended.
            bool isNews = isFirst ? logged.Contains(key) || (now is not null && living is null) : !IsSame(before, living is null ? null : now);
            if (isNews) changes.Add(new(key, living, revision));
        }
        changes.Sort((one, other) => one.Revision.CompareTo(other.Revision));
        (_revision, _storeId) = (log.Revision, log.StoreId);
        if (scan) _lastScan = time.GetTimestamp();
        return changes;
    }

    private void ThrowIfHistoryIsLost(RevisionLog log)
    {
        if (_storeId.Length > 0 && log.StoreId != _storeId)
            throw new RegistryHistoryLostException($"{registry.Description} was deleted and made again");
        if (_revision > log.Revision)
            throw new RegistryHistoryLostException($"{registry.Description}: its revision went back from {_revision} to {log.Revision}");
        if (_revision < log.Oldest)
            throw new RegistryHistoryLostException($"{registry.Description}: changes after revision {_revision} are forgotten, the oldest kept is {log.Oldest + 1}");
    }

    /// <summary>Whether nothing happened to a lease. Without head a file has no revision, so its content tells.</summary>
    private static bool IsSame(StoredLease? one, StoredLease? other)
    {
        if (one is null || other is null) return one is null && other is null;
        if (one.File.ModRevision != other.File.ModRevision || one.IsReadable != other.IsReadable) return false;
        return one.File.ModRevision > 0 || one.File.Value.Span.SequenceEqual(other.File.Value.Span);
    }

    private async Task SweepAsync(CancellationToken cancel)
    {
        string[] over = [.. _over];
        _over.Clear();
        try
        {
            await registry.SweepAsync(over, cancel).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // Tidying only: a lease that is over counts as deleted also where its file cannot be (a read-only disk). A write that matters will report it.
        }
    }
}
