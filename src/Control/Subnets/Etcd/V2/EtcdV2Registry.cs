using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>
/// Leases as keys of etcd's v2 API (HTTP), wire-compatible with stock flannel up to 0.17. Other than stock, a renewal is a compare-and-swap. Stock renews by an
/// unconditional set, which gives the key a new createdIndex, so of two claims the older one cannot always be told here.
/// </summary>
internal sealed class EtcdV2Registry : ISubnetRegistry
{
    private readonly EtcdOptions _options;
    private readonly EtcdV2Client _client;
    private readonly TimeProvider _time;
    private readonly string _subnets;

    /// <summary>Takes a client, owned from here on.</summary>
    internal EtcdV2Registry(EtcdOptions options, EtcdV2Client client, TimeProvider time)
    {
        _options = options;
        _client = client;
        _time = time;
        // Here every key begins with a slash, also below a prefix that does not.
        _subnets = "/" + options.SubnetsPrefix.Trim('/') + "/";
    }

    public string Description => $"etcd v2 at {_options}";

    /// <summary>Makes one; nothing is connected before the first call.</summary>
    /// <param name="options">Where and how.</param>
    /// <param name="time">Deadlines and back-off.</param>
    /// <param name="loggers">For messages of etcd.</param>
    /// <param name="random">Which endpoint is first, and how long pauses are; not used afterwards.</param>
    /// <exception cref="Tunnels.InvalidInputException">A TLS file cannot be used.</exception>
    internal static EtcdV2Registry Open(EtcdOptions options, TimeProvider time, ILoggerFactory loggers, Random random)
    {
        ILogger log = loggers.CreateLogger("etcd");
        EtcdTls tls = new(options, log);
        EndpointPool<Uri> endpoints = new(options.Endpoints.Select(endpoint => (endpoint, EtcdEndpoints.Describe(endpoint))), time, new(random.Next()), log);
        return new(options, new(new(options, tls, time), endpoints, time), time);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    public async Task<byte[]?> ReadConfigAsync(CancellationToken cancel)
    {
        EtcdV2Answer answer = await _client.CallAsync(EtcdV2Request.Read(_options.ConfigKey), cancel).ConfigureAwait(false);
        if (answer.ErrorCode == EtcdV2Error.KeyNotFound) return null;
        EtcdV2Node node = Success(answer);
        if (node.Dir) throw Refused(answer, $"{_options.ConfigKey} is a directory; expected the network config");
        byte[] value = Encoding.UTF8.GetBytes(node.Value ?? "");
        return value.Length <= RegistryEntry.MaxValueSize ? value : value[..RegistryEntry.MaxValueSize];
    }

    public async Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel) =>
        Success(await _client.CallAsync(EtcdV2Request.Write(_options.ConfigKey, "", value, timeToLive: null), cancel).ConfigureAwait(false));

    public async Task<RegistrySnapshot> ListAsync(CancellationToken cancel)
    {
        // One level: what others may have nested below is none of ours, and as deep as they like.
        EtcdV2Answer answer = await _client.CallAsync(EtcdV2Request.Read(_subnets), cancel).ConfigureAwait(false);
        if (answer.ErrorCode == EtcdV2Error.KeyNotFound) return new([], answer.Index);
        EtcdV2Node directory = Success(answer);
        if (!directory.Dir) throw Refused(answer, $"{_subnets} is a value; expected a directory of leases");
        List<RegistryEntry> entries = [];
        foreach (EtcdV2Node node in directory.Nodes ?? [])
        {
            if (RelativeName(node) is { } key) entries.Add(ToEntry(key, node));
        }
        return new(entries, answer.Index);
    }

    public async Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel)
    {
        EtcdV2Answer answer = await _client.CallAsync(EtcdV2Request.Read(NameOf(key)), cancel).ConfigureAwait(false);
        return answer.ErrorCode == EtcdV2Error.KeyNotFound ? null : ToEntry(key, Success(answer));
    }

    public Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel) =>
        WriteAsync(key, "prevExist=false", value, timeToLive, cancel);

    public Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel)
    {
        // etcd takes 0 for "no matter which".
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(modRevision);
        return WriteAsync(key, $"prevIndex={modRevision}", value, timeToLive, cancel);
    }

    public async Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(modRevision);
        EtcdV2Answer answer = await _client.CallAsync(EtcdV2Request.Delete(NameOf(key), modRevision), cancel).ConfigureAwait(false);
        if (answer.ErrorCode is EtcdV2Error.KeyNotFound or EtcdV2Error.TestFailed or EtcdV2Error.NotFile) return false;
        Success(answer);
        return true;
    }

    public async IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, [EnumeratorCancellation] CancellationToken cancel)
    {
        long last = afterRevision;
        while (true)
        {
            long started = _time.GetTimestamp();
            EtcdV2Answer answer = await _client.PollAsync(EtcdV2Request.Wait(_subnets, last + 1), cancel).ConfigureAwait(false);
            if (answer.ErrorCode == EtcdV2Error.EventIndexCleared)
                throw new RegistryHistoryLostException($"{Description}: changes after index {last} are forgotten ({answer.Body!.Cause})");
            if (answer.ErrorCode == 0 && answer.Index < last) await ThrowIfWentBackAsync(last, cancel).ConfigureAwait(false);
            if (answer.Body is null)
            {
                // A poll from the index of this head misses nothing, and keeps up with a history that others fill (1000 events of the whole etcd).
                last = Math.Max(last, answer.Index);
                TimeSpan early = TimeSpan.FromSeconds(1) - _time.GetElapsedTime(started);
                if (early > TimeSpan.Zero) await Task.Delay(early, _time, cancel).ConfigureAwait(false);
                continue;
            }
            EtcdV2Node node = Success(answer);
            if (node.ModifiedIndex <= last) throw Refused(answer, $"an event of index {node.ModifiedIndex} where those after {last} were asked for");
            last = node.ModifiedIndex;
            if (Change(answer.Body.Action, node) is { } change) yield return change;
        }
    }

    /// <summary>What an event means; null for one that concerns no lease.</summary>
    private RegistryChange? Change(string? action, EtcdV2Node node)
    {
        bool isRemoval = action is "delete" or "compareAndDelete" or "expire";
        if (RelativeName(node) is { } key) return new(key, isRemoval ? null : ToEntry(key, node), node.ModifiedIndex);
        // With the directory, or one above it, all leases went at once, and no event names them.
        if (isRemoval && _subnets.StartsWith(node.Key!.TrimEnd('/') + "/", StringComparison.Ordinal))
            throw new RegistryHistoryLostException($"{Description}: {node.Key} was deleted with everything in it");
        return null;
    }

    /// <summary>A member that lags behind is no reason to worry; only a cluster that has forgotten is.</summary>
    private async Task ThrowIfWentBackAsync(long last, CancellationToken cancel)
    {
        EtcdV2Answer now = await _client.CallAsync(EtcdV2Request.Read(_subnets), cancel).ConfigureAwait(false);
        if (now.Index < last) throw new RegistryHistoryLostException($"{Description}: its index went back from {last} to {now.Index}");
    }

    private async Task<RegistryEntry?> WriteAsync(string key, string condition, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel)
    {
        EtcdV2Answer answer = await _client.CallAsync(EtcdV2Request.Write(NameOf(key), condition, value, timeToLive), cancel).ConfigureAwait(false);
        bool isOtherwise = answer.ErrorCode is EtcdV2Error.NodeExists or EtcdV2Error.TestFailed or EtcdV2Error.KeyNotFound or EtcdV2Error.NotFile;
        return isOtherwise ? null : ToEntry(key, Success(answer));
    }

    private string NameOf(string key)
    {
        if (key.Length == 0 || key is "." or ".." || key.Contains('/', StringComparison.Ordinal))
            throw new ArgumentException($"expected a name without slash, not {Tunnels.InvalidInputException.Quote(key)}", nameof(key));
        return _subnets + key;
    }

    /// <summary>The name below the directory of leases; null for what is not right there.</summary>
    private string? RelativeName(EtcdV2Node node)
    {
        if (node.Key is not { } key || !key.StartsWith(_subnets, StringComparison.Ordinal)) return null;
        string name = key[_subnets.Length..];
        return name.Length > 0 && !name.Contains('/', StringComparison.Ordinal) ? name : null;
    }

    private static RegistryEntry ToEntry(string key, EtcdV2Node node)
    {
        byte[] value = Encoding.UTF8.GetBytes(node.Value ?? "");
        bool isTruncated = value.Length > RegistryEntry.MaxValueSize;
        // Below zero for a moment before etcd deletes it.
        TimeSpan? left = node.Ttl is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, int.MaxValue)) : null;
        // A directory under the name of a lease takes the name, and is as little a lease as garbage.
        return new(key, isTruncated ? value.AsMemory(0, RegistryEntry.MaxValueSize) : value, left, !node.Dir, node.CreatedIndex, node.ModifiedIndex, isTruncated);
    }

    private static EtcdV2Node Success(EtcdV2Answer answer) => answer.ErrorCode == 0 ? answer.Body!.Node! : throw Refused(answer, EtcdV2Client.Describe(answer.Body!));

    private static StoreUnavailableException Refused(EtcdV2Answer answer, string reason) => new($"etcd v2: {EtcdEndpoints.Describe(answer.Endpoint)}: {reason}");
}
