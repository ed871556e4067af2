using System.Runtime.CompilerServices;
using System.Text;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>
/// Leases as keys of etcd's v3 API, wire-compatible with stock flannel since 0.18: each put takes an etcd lease of its own. Other than stock, a lease of ours that
/// was replaced is revoked, and only keys below <c>&lt;prefix&gt;/subnets/</c> count (stock also reads <c>&lt;prefix&gt;/subnets-old/…</c>).
/// </summary>
internal sealed class EtcdV3Registry : ISubnetRegistry
{
    /// <summary>Longest name of a key that is handed on whole, in bytes: five times that of a dual-stack subnet.</summary>
    private const int MaxName = 256;

    private readonly EtcdOptions _options;
    private readonly EtcdV3Client _client;
    private readonly LeaseTimes _times;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly byte[] _prefix;

    /// <summary>The etcd leases that hold the keys we wrote.</summary>
    private readonly Dictionary<string, long> _own = [];
    private readonly Lock _ownLock = new();
    private ulong _clusterId;

    /// <summary>Takes a client, owned from here on.</summary>
    internal EtcdV3Registry(EtcdOptions options, EtcdV3Client client, TimeProvider time, ILogger log)
    {
        _options = options;
        _client = client;
        _time = time;
        _log = log;
        _times = new(client, time, log);
        _prefix = Encoding.UTF8.GetBytes(options.SubnetsPrefix);
    }

    public string Description => $"etcd v3 at {_options}";

    /// <summary>Makes one; nothing is connected before the first call.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="time">Deadlines, back-off, times to live.</param>
    /// <param name="loggers">For messages of etcd.</param>
    /// <param name="random">Which endpoint is first, and how long pauses are; not used afterwards.</param>
    /// <exception cref="Tunnels.InvalidInputException">A TLS file cannot be used.</exception>
    internal static EtcdV3Registry Open(EtcdOptions options, TimeProvider time, ILoggerFactory loggers, Random random)
    {
        ILogger log = loggers.CreateLogger("etcd");
        EtcdTls tls = new(options, log);
        // Each under a lock of its own, and Random is not safe for concurrent use.
        EndpointPool<GrpcChannel> channels = new(options.Endpoints.Select(endpoint => (GrpcChannel.Open(endpoint, tls, time), EtcdEndpoints.Describe(endpoint))), time, new(random.Next()), log);
        EtcdAuthenticator? authenticator = options.Credentials is { } credentials ? new(credentials, time, new(random.Next()), log) : null;
        return new(options, new(channels, authenticator, time), time, log);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    public async Task<byte[]?> ReadConfigAsync(CancellationToken cancel)
    {
        RangeResponse found = await GuardAsync(_client.RangeAsync(new(Encoding.UTF8.GetBytes(_options.ConfigKey)), cancel)).ConfigureAwait(false);
        return found.KeyValues is [KeyValue config, ..] ? config.Value : null;
    }

    public Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel) =>
        GuardAsync(_client.PutAsync(new(Encoding.UTF8.GetBytes(_options.ConfigKey), value), cancel));

    public async Task<RegistrySnapshot> ListAsync(CancellationToken cancel)
    {
        (List<KeyValue> keys, ResponseHeader header) = await GuardAsync(EtcdListing.ReadAsync(_client, _prefix, _time, cancel)).ConfigureAwait(false);
        Volatile.Write(ref _clusterId, header.ClusterId);
        await _times.ReadAsync(keys, cancel).ConfigureAwait(false);
        RegistryEntry[] entries = new RegistryEntry[keys.Count];
        for (int i = 0; i < entries.Length; i++) entries[i] = ToEntry(keys[i]);
        return new(entries, header.Revision);
    }

    public async Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel)
    {
        RangeResponse found = await GuardAsync(_client.RangeAsync(new(NameOf(key)), cancel)).ConfigureAwait(false);
        if (found.KeyValues is not [KeyValue entry, ..]) return null;
        await _times.ReadAgainAsync(entry.Lease, cancel).ConfigureAwait(false);
        return ToEntry(entry);
    }

    public async Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel)
    {
        byte[] name = NameOf(key);
        long lease = await GrantAsync(timeToLive, cancel).ConfigureAwait(false);
        bool isMade = false;
        try
        {
            TxnResponse made = await GuardAsync(_client.TxnAsync(new(Compare.IsAbsent(name), new PutRequest(name, value, lease), new RangeRequest(name)), cancel)).ConfigureAwait(false);
            isMade = made.Succeeded;
            return isMade ? Written(key, made) : null;
        }
        finally
        {
            // Also where there was no answer: without its lease the key is gone again, or cannot be made any more by a transaction that is still under way.
            if (!isMade) await RevokeAsync(lease).ConfigureAwait(false);
        }
    }

    public async Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel)
    {
        byte[] name = NameOf(key);
        long lease = await GrantAsync(timeToLive, cancel).ConfigureAwait(false);
        TxnResponse made;
        try
        {
            made = await _client.TxnAsync(new(Compare.HasModRevision(name, modRevision), new PutRequest(name, value, lease), new RangeRequest(name)), cancel).ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            // Where it is not known whether the key hangs on the new lease, revoking that would delete it: the lease is left to run out.
            if (!e.IsEndpointFailure || e.IsUnprocessed) await RevokeAsync(lease).ConfigureAwait(false);
            throw Unavailable(e);
        }
        if (!made.Succeeded)
        {
            await RevokeAsync(lease).ConfigureAwait(false);
            return null;
        }
        long previous = OwnLease(key);
        RegistryEntry entry = Written(key, made);
        await RevokeAsync(previous).ConfigureAwait(false);
        return entry;
    }

    public async Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel)
    {
        byte[] name = NameOf(key);
        TxnResponse done = await GuardAsync(_client.TxnAsync(new(Compare.HasModRevision(name, modRevision), new DeleteRangeRequest(name)), cancel)).ConfigureAwait(false);
        if (!done.Succeeded) return false;
        long previous = OwnLease(key);
        lock (_ownLock) _own.Remove(key);
        await RevokeAsync(previous).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    /// <remarks>Asks for no time to live: of a key that somebody else wrote it is unknown here until the next list, unless it has none.</remarks>
    public async IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, [EnumeratorCancellation] CancellationToken cancel)
    {
        using EtcdWatch watch = await GuardAsync(OpenWatchAsync(afterRevision, cancel)).ConfigureAwait(false);
        long last = afterRevision;
        while (true)
        {
            WatchResponse response = await ReadAsync(watch, cancel).ConfigureAwait(false);
            for (int i = 0; i < response.Events.Count; i++)
            {
                WatchEvent change = response.Events[i];
                long revision = change.KeyValue.ModRevision;
                // etcd before 3.4.38 repeats old events on a watch that begins in the future, before 3.4.25 after a member caught up by a snapshot.
                if (revision <= afterRevision || revision < last) continue;
                last = revision;
                bool isLast = i + 1 < response.Events.Count ? response.Events[i + 1].KeyValue.ModRevision > revision : !response.IsFragment;
                // One revision may change several keys.
                yield return new(RelativeName(change.KeyValue), change.IsDelete ? null : ToEntry(change.KeyValue), revision, isLast);
            }
        }
    }

    private static StoreUnavailableException Unavailable(Exception e) => new($"etcd: {e.Message}", e);

    /// <summary>The errors of the client as those of the seam.</summary>
    private static async Task<T> GuardAsync<T>(Task<T> call)
    {
        try
        {
            return await call.ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            throw Unavailable(e);
        }
    }

    private static async Task<WatchResponse> ReadAsync(EtcdWatch watch, CancellationToken cancel)
    {
        try
        {
            return await watch.ReadAsync(cancel).ConfigureAwait(false);
        }
        catch (GrpcException e) when (e.Code == GrpcStatusCode.OutOfRange)
        {
            throw new RegistryHistoryLostException($"etcd: {e.Detail}");
        }
        catch (GrpcException e)
        {
            throw Unavailable(e);
        }
    }

    private async Task<EtcdWatch> OpenWatchAsync(long afterRevision, CancellationToken cancel)
    {
        EtcdWatch? watch = null;
        try
        {
            watch = await _client.WatchAsync(new(_prefix, EtcdListing.EndOf(_prefix), afterRevision + 1), cancel).ConfigureAwait(false);
            await CheckHistoryAsync(watch.Header, afterRevision, cancel).ConfigureAwait(false);
            return watch;
        }
        catch (Exception e)
        {
            watch?.Dispose();
            // Some versions tell of a compaction in place of the acknowledgement.
            if (e is GrpcException { Code: GrpcStatusCode.OutOfRange } lost) throw new RegistryHistoryLostException($"etcd: {lost.Detail}");
            throw;
        }
    }

    /// <summary>Finds out whether this is still the store whose revision the caller knows.</summary>
    private async Task CheckHistoryAsync(ResponseHeader header, long afterRevision, CancellationToken cancel)
    {
        ulong known = Volatile.Read(ref _clusterId);
        if (known != 0 && header.ClusterId != known)
            throw new RegistryHistoryLostException($"etcd: the cluster is another one than before (id {header.ClusterId:x} instead of {known:x})");
        if (header.Revision >= afterRevision) return;
        // A member that lags behind is no loss; a linearizable read tells what the cluster has come to.
        RangeResponse now = await _client.RangeAsync(new(_prefix, KeysOnly: true), cancel).ConfigureAwait(false);
        if (now.Header.Revision < afterRevision)
            throw new RegistryHistoryLostException($"etcd: the revision went back from {afterRevision} to {now.Header.Revision}");
    }

    private async Task<long> GrantAsync(TimeSpan? timeToLive, CancellationToken cancel)
    {
        if (timeToLive is not { } wanted) return 0;
        long asked = _time.GetTimestamp();
        LeaseResponse granted = await GuardAsync(_client.GrantAsync(Math.Max(1, (long)Math.Ceiling(wanted.TotalSeconds)), cancel)).ConfigureAwait(false);
        _times.Set(granted, asked);
        return granted.Id;
    }

    /// <summary>Ends a lease that nothing needs any more. A failure costs etcd some bytes for a day, so it is only noted.</summary>
    private async Task RevokeAsync(long lease)
    {
        if (lease == 0) return;
        try
        {
            // The caller's cancelling does not count: it may be what made the lease useless.
            await _client.RevokeAsync(lease, CancellationToken.None).ConfigureAwait(false);
        }
        catch (GrpcException e)
        {
            EtcdV3Log.RevokeFailed(_log, lease, e.Message);
        }
    }

    private long OwnLease(string key)
    {
        lock (_ownLock) return _own.GetValueOrDefault(key);
    }

    private RegistryEntry Written(string key, TxnResponse made)
    {
        if (made.Ranges is not [{ KeyValues: [KeyValue written] }]) throw new StoreUnavailableException("etcd: a transaction that succeeded does not show what it wrote");
        lock (_ownLock) _own[key] = written.Lease;
        return ToEntry(written);
    }

    private RegistryEntry ToEntry(KeyValue found)
    {
        TimeSpan? left = _times.Remaining(found.Lease);
        return new(RelativeName(found), found.Value, left, found.Lease == 0 || left is not null, found.CreateRevision, found.ModRevision, found.IsTruncated);
    }

    private string RelativeName(KeyValue found)
    {
        ReadOnlySpan<byte> name = found.Key.AsSpan(Math.Min(_prefix.Length, found.Key.Length));
        return name.Length <= MaxName ? Encoding.UTF8.GetString(name) : Encoding.UTF8.GetString(name[..MaxName]) + "…";
    }

    private byte[] NameOf(string key) => Encoding.UTF8.GetBytes(_options.SubnetKey(key));
}
