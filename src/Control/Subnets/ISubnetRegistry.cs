namespace FlannelFast.Control.Subnets;

/// <summary>
/// The key–value side of a store that keeps leases as keys with a time to live: etcd v3, etcd v2, a directory. Keys are relative
/// ("10.5.52.0-24" below <c>&lt;prefix&gt;/subnets/</c>) and values opaque, so that what leases mean is decided once, above it.
/// Safe for concurrent use. Every call has a deadline; each may throw <see cref="StoreUnavailableException"/>.
/// </summary>
internal interface ISubnetRegistry : IAsyncDisposable
{
    /// <inheritdoc cref="ISubnetStore.Description"/>
    string Description { get; }

    /// <summary>Value of <c>&lt;prefix&gt;/config</c>; null if there is none. At most <see cref="RegistryEntry.MaxValueSize"/> bytes are taken.</summary>
    Task<byte[]?> ReadConfigAsync(CancellationToken cancel);

    /// <summary>Writes <c>&lt;prefix&gt;/config</c>.</summary>
    Task WriteConfigAsync(ReadOnlyMemory<byte> value, CancellationToken cancel);

    /// <summary>Every key below <c>&lt;prefix&gt;/subnets/</c>, read linearizably at one revision.</summary>
    Task<RegistrySnapshot> ListAsync(CancellationToken cancel);

    /// <summary>One key, read linearizably; null if it is not there.</summary>
    Task<RegistryEntry?> ReadAsync(string key, CancellationToken cancel);

    /// <summary>Makes a key that must not be there yet.</summary>
    /// <param name="key">Relative name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="timeToLive">How long it lives without renewal; null for ever.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The entry; null if the key exists, which then stays as it is.</returns>
    Task<RegistryEntry?> CreateAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, CancellationToken cancel);

    /// <summary>Writes a key with a fresh time to live, if it was not changed since.</summary>
    /// <param name="key">Relative name.</param>
    /// <param name="value">Its value.</param>
    /// <param name="timeToLive">From now; null for ever.</param>
    /// <param name="modRevision">The key's last revision that the caller knows.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The entry; null if the key is gone or has another revision: nothing was written.</returns>
    Task<RegistryEntry?> ReplaceAsync(string key, ReadOnlyMemory<byte> value, TimeSpan? timeToLive, long modRevision, CancellationToken cancel);

    /// <summary>Deletes a key, if it was not changed since.</summary>
    /// <returns>False if it is gone or has another revision: nothing was deleted.</returns>
    Task<bool> DeleteAsync(string key, long modRevision, CancellationToken cancel);

    /// <summary>
    /// The changes after a revision, in order, until cancelled. Ends by an exception, never by itself:
    /// <see cref="StoreUnavailableException"/> when the stream broke (watch again from the last revision seen),
    /// <see cref="RegistryHistoryLostException"/> when those changes cannot be had any more (list again).
    /// </summary>
    IAsyncEnumerable<RegistryChange> WatchAsync(long afterRevision, CancellationToken cancel);
}
