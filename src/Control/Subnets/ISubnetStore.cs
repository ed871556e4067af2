namespace FlannelFast.Control.Subnets;

/// <summary>
/// The one seam between the daemon and the place where the cluster keeps "subnet → PublicIP" (etcd, Kubernetes, a directory). Nothing above it
/// knows what a key looks like. Safe for concurrent use. Every call has a deadline of its own and ends with <see cref="StoreUnavailableException"/> when the
/// store cannot be reached; nothing retries in silence for ever.
/// </summary>
internal interface ISubnetStore : IAsyncDisposable
{
    /// <summary>The store in the words of a log line, without secrets: "etcd v3 at https://10.0.0.1:2379, prefix /coreos.com/network".</summary>
    string Description { get; }

    /// <summary>Reads the network config.</summary>
    /// <exception cref="NetworkConfigException">There is none, or it cannot be used; it may come later, so the caller tries again.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked.</exception>
    Task<NetworkConfig> ReadNetworkConfigAsync(CancellationToken cancel);

    /// <summary>
    /// Gets this host a subnet: the one it holds by its PublicIP if it fits, else the previous one if nobody has it, else a free one.
    /// </summary>
    /// <exception cref="LeaseException">No subnet can be had ("out of subnets"); the message is one sentence.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked.</exception>
    Task<Lease> AcquireAsync(LeaseRequest request, CancellationToken cancel);

    /// <summary>Extends the lease and reads it back: a lease is not a lock.</summary>
    /// <param name="own">As the last acquire, renew or update gave it.</param>
    /// <param name="attributes">What to publish from now on; the old ones again, or new ones (another PublicIP after the underlay address changed).</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The lease with its new end and revision.</returns>
    /// <exception cref="LeaseLostException">Somebody else holds the subnet, or the key is gone. It was not overwritten.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked; whether it took the renewal is not known.</exception>
    Task<Lease> RenewAsync(Lease own, LeaseAttributes attributes, CancellationToken cancel);

    /// <summary>Gives the subnet back, unless it belongs to somebody else by now.</summary>
    Task ReleaseAsync(Lease own, CancellationToken cancel);

    /// <summary>
    /// Follows the leases of all hosts, our own among them, until cancelled. Begins with a snapshot; survives outages, compactions and
    /// garbage by itself with back-off, and repeats the snapshot about once a minute, so that nothing stays lost.
    /// </summary>
    IAsyncEnumerable<LeaseUpdate> WatchAsync(NetworkConfig network, CancellationToken cancel);
}
