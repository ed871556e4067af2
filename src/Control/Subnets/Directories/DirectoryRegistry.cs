namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// The embedded store (<c>-store-dir</c>): a directory that all daemons of one machine share, in whatever network namespaces they run.
/// No server; for one machine, labs and tests. <see cref="StoreFiles"/> tells what lies there, <see cref="StoreClock"/> how leases end.
/// </summary>
internal sealed class DirectoryRegistry : ISubnetRegistry
{
    /// <summary>How long a call waits for others to release the lock, which nobody holds for longer than a few writes take.</summary>
    internal static readonly TimeSpan LockLimit = TimeSpan.FromSeconds(5);

    /// <summary>For a whole call. A disk that hangs cannot be interrupted, only no longer waited for.</summary>
    internal static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly StoreClock _clock;
    private volatile string _storeId = "";

    /// <param name="path">The directory. It need not be there yet: who writes first makes it.</param>
    /// <param name="time">Both clocks.</param>
    /// <param name="random">Spreads attempts to get the lock.</param>
    /// <param name="clockId">Names the monotonic clock; null for this machine's.</param>
    internal DirectoryRegistry(string path, TimeProvider time, Random random, string? clockId = null)
    {
        _path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        _time = time;
        _random = random;
        _clock = new(time, clockId ?? StoreClock.ReadId());
    }

    public string Description => $"directory {_path}";

    public Task<byte[]?> ReadConfigAsync(CancellationToken cancel) => RunAsync(exclusive: false, files => files?.ReadConfig(), cancel);

    public Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel)
    {
        ThrowIfTooLong(value);
        return RunAsync(exclusive: true, files =>
        {
            files!.WriteConfig(value.Span);
            return true;
        }, cancel);
    }

    public Task<RegistrySnapshot> ListAsync(CancellationToken cancel) => RunAsync(exclusive: false, files =>
    {
        if (files is null) return new RegistrySnapshot([], 0);
        RevisionLog log = files.ReadLog();
        List<RegistryEntry> entries = [];
        foreach (string key in files.Keys())
        {
            if (Living(key, files.ReadLease(key)) is { } entry) entries.Add(entry);
        }
        _storeId = log.StoreId;
        return new RegistrySnapshot(entries, log.Revision);
    }, cancel);

    public Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel)
    {
        LeaseKey.ThrowIfInvalid(key);
        return RunAsync(exclusive: false, files => Living(key, files?.ReadLease(key)), cancel);
    }

    public Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel) =>
        WriteAsync(key, value, timeToLive, (living, next) => living is null ? next : null, cancel);

    public Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel) =>
        WriteAsync(key, value, timeToLive, (living, next) =>
        {
            if (living is null || living.ModRevision != modRevision) return null;
            return living.CreateRevision > 0 ? living.CreateRevision : next;
        }, cancel);

    public Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel)
    {
        LeaseKey.ThrowIfInvalid(key);
        return RunAsync(exclusive: true, files =>
        {
            StoredLease? lease = files!.ReadLease(key);
            if (Living(key, lease) is not { } living || living.ModRevision != modRevision) return false;
            files.DeleteLease(files.ReadLog(), key, lease!);
            return true;
        }, cancel);
    }

    public IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, CancellationToken cancel) =>
        new DirectoryWatch(this, _path, _time, afterRevision, _storeId).RunAsync(cancel);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The lease as an entry; null if it is not there or over. What is over counts as deleted for everybody, whether or not anybody has deleted it.</summary>
    internal RegistryEntry? Living(string key, StoredLease? lease)
    {
        if (lease is null) return null;
        if (lease.File.Deadline is not { } deadline) return lease.ToEntry(key, timeToLive: null);
        TimeSpan left = _clock.Remaining(deadline);
        return left > TimeSpan.Zero ? lease.ToEntry(key, left) : null;
    }

    /// <summary>Deletes the leases that are over among these.</summary>
    internal Task SweepAsync(IReadOnlyCollection<string> keys, CancellationToken cancel) => RunAsync(exclusive: true, files =>
    {
        RevisionLog log = files!.ReadLog();
        foreach (string key in keys)
        {
            if (files.ReadLease(key) is { } lease && Living(key, lease) is null) log = files.DeleteLease(log, key, lease);
        }
        return true;
    }, cancel);

    /// <summary>Runs an action under the lock, away from the caller's thread, and says what went wrong in one line.</summary>
    /// <param name="exclusive">For writing; also makes the directory. Otherwise the action gets null where there is none.</param>
    /// <param name="action">The whole of a transaction.</param>
    /// <param name="cancel">Gives up waiting; an action that has begun goes on to its end.</param>
    /// <exception cref="StoreUnavailableException">It did not work; nothing was changed unless the message tells of a time limit.</exception>
    internal async Task<T> RunAsync<T>(bool exclusive, Func<StoreFiles?, T> action, CancellationToken cancel)
    {
        try
        {
            // Who gives up waiting leaves the descriptors to the task: closed under a running action their numbers would soon mean other files.
            return await Task.Run(() => LockedAsync(exclusive, action, cancel), cancel).WaitAsync(CallLimit, _time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new StoreUnavailableException($"{Description}: no answer from the disk within {CallLimit.TotalSeconds} s", e);
        }
        catch (Exception e) when (e is IOException and not (StoreUnavailableException or RegistryHistoryLostException) or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"{Description}: {e.Message}", e);
        }
    }

    private async Task<T> LockedAsync<T>(bool exclusive, Func<StoreFiles?, T> action, CancellationToken cancel)
    {
        using StoreFiles? files = StoreFiles.Open(_path, create: exclusive);
        long started = _time.GetTimestamp();
        while (files is not null && !files.TryLock(exclusive))
        {
            if (_time.GetElapsedTime(started) > LockLimit)
                throw new StoreUnavailableException($"{Description}: another process holds its lock for more than {LockLimit.TotalSeconds} s");
            await Task.Delay(TimeSpan.FromMilliseconds(Pause()), _time, cancel).ConfigureAwait(false);
        }
        return action(files);
    }

    private int Pause()
    {
        lock (_random) return _random.Next(1, 10);
    }

    /// <summary>Writes a key if <paramref name="decide"/> agrees.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="timeToLive">Null for ever.</param>
    /// <param name="decide">From the living entry and the next revision to the create revision; null to leave all as it is.</param>
    /// <param name="cancel">Gives up.</param>
    private Task<RegistryEntry?> WriteAsync(
        string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, Func<RegistryEntry?, long, long?> decide, CancellationToken cancel)
    {
        LeaseKey.ThrowIfInvalid(key);
        ThrowIfTooLong(value);
        if (timeToLive is { } given && (given <= TimeSpan.Zero || given > StoreClock.LongestTimeToLive))
            throw new ArgumentOutOfRangeException(nameof(timeToLive), given, "a time to live is above zero and at most a hundred years");
        return RunAsync(exclusive: true, files =>
        {
            StoredLease? lease = files!.ReadLease(key);
            RevisionLog log = files.ReadLog();
            long next = StoreFiles.NextRevision(log, lease);
            if (decide(Living(key, lease), next) is not { } created) return null;
            LeaseFile file = new(created, next, timeToLive is { } time ? _clock.Begin(time) : null, value.ToArray());
            files.WriteLease(log, key, file);
            return new StoredLease(file, IsReadable: true).ToEntry(key, timeToLive);
        }, cancel);
    }

    private static void ThrowIfTooLong(ReadOnlyMemory<byte> value)
    {
        if (value.Length > RegistryEntry.MaxValueSize)
            throw new ArgumentException($"a value has at most {RegistryEntry.MaxValueSize} bytes, not {value.Length}", nameof(value));
    }
}
