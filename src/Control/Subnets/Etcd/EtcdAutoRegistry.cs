using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>
/// Leases in whichever of etcd's interfaces holds the network config (<c>-etcd-api=auto</c>). The config may come after the daemon, so
/// <see cref="EtcdApiProbe"/> decides anew until there is one; then it stays as it is for the life of this object.
/// </summary>
/// <param name="v3">Owned from here on.</param>
/// <param name="v2">Owned from here on.</param>
/// <param name="readMajor">The server's major version, for an etcd that has no v3.</param>
/// <param name="log">Told of the decision.</param>
internal sealed class EtcdAutoRegistry(ISubnetRegistry v3, ISubnetRegistry v2, Func<CancellationToken, Task<int?>> readMajor, ILogger log) : ISubnetRegistry
{
    private volatile ISubnetRegistry? _chosen;

    /// <summary>That of v3 as long as nothing is decided.</summary>
    public string Description => (_chosen ?? v3).Description;

    public async Task<byte[]?> ReadConfigAsync(CancellationToken cancel)
    {
        ISubnetRegistry registry = await ChooseAsync(cancel).ConfigureAwait(false);
        byte[]? config = await registry.ReadConfigAsync(cancel).ConfigureAwait(false);
        if (config is not null && Interlocked.CompareExchange(ref _chosen, registry, null) is null) EtcdLog.ApiChosen(log, registry.Description);
        return config;
    }

    public async Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).WriteConfigAsync(value, cancel).ConfigureAwait(false);

    public async Task<RegistrySnapshot> ListAsync(CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).ListAsync(cancel).ConfigureAwait(false);

    public async Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).ReadAsync(key, cancel).ConfigureAwait(false);

    public async Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).CreateAsync(key, value, timeToLive, cancel).ConfigureAwait(false);

    public async Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).ReplaceAsync(key, value, timeToLive, modRevision, cancel).ConfigureAwait(false);

    public async Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel) =>
        await (await ChooseAsync(cancel).ConfigureAwait(false)).DeleteAsync(key, modRevision, cancel).ConfigureAwait(false);

    public async IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, [EnumeratorCancellation] CancellationToken cancel)
    {
        ISubnetRegistry registry = await ChooseAsync(cancel).ConfigureAwait(false);
        await foreach (RegistryChange change in registry.WatchAsync(afterRevision, cancel).ConfigureAwait(false)) yield return change;
    }

    public async ValueTask DisposeAsync()
    {
        await v3.DisposeAsync().ConfigureAwait(false);
        await v2.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ISubnetRegistry> ChooseAsync(CancellationToken cancel) =>
        _chosen ?? (await EtcdApiProbe.ChooseAsync(v3, v2, readMajor, cancel).ConfigureAwait(false) == EtcdApi.V2 ? v2 : v3);
}
