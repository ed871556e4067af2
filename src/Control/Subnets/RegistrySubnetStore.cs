using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Leases kept as keys with a time to live, in any <see cref="ISubnetRegistry"/>, readable and writable by stock hosts on the same prefix. What leases
/// mean is decided here and nowhere else. Remembers the lease it acquired or renewed last as this host's own.
/// </summary>
internal sealed class RegistrySubnetStore : ISubnetStore
{
    private readonly ISubnetRegistry _registry;
    private readonly RegistryStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly JitterSource _random;
    private readonly ILogger _log;
    private readonly StoreCounters _counters;
    private readonly LeaseAcquirer _acquirer;
    private readonly LeaseRenewer _renewer;
    private volatile OwnClaim? _own;

    /// <summary>Makes the store over a registry, which it owns from now on.</summary>
    internal RegistrySubnetStore(ISubnetRegistry registry, TimeProvider time, Random random, ILoggerFactory log, RegistryStoreOptions? options = null)
    {
        (_registry, _time, _random, _options) = (registry, time, new(random), options ?? new());
        _log = log.CreateLogger("flanneld.store");
        _counters = new(time);
        _acquirer = new(registry, _options, time, _random, _log);
        _renewer = new(registry, _options, time, _log);
    }

    public string Description => _registry.Description;

    /// <summary>How the store was followed so far.</summary>
    internal StoreStatistics Statistics => _counters.Read();

    public async Task<NetworkConfig> ReadNetworkConfigAsync(CancellationToken cancel)
    {
        byte[] value = await _registry.ReadConfigAsync(cancel) ?? throw new NetworkConfigException($"flannel config not found in {Description}");
        return NetworkConfigParser.Parse(value);
    }

    public async Task<Lease> AcquireAsync(LeaseRequest request, CancellationToken cancel) => Remember(await _acquirer.AcquireAsync(request, cancel));

    public async Task<Lease> RenewAsync(Lease own, LeaseAttributes attributes, CancellationToken cancel)
    {
        try
        {
            return Remember(await _renewer.RenewAsync(own, attributes, cancel));
        }
        catch (LeaseLostException)
        {
            // Until it is acquired again it has no better right than others: the key is made again before it is known that nobody else was faster.
            _own = null;
            throw;
        }
    }

    public async Task ReleaseAsync(Lease own, CancellationToken cancel)
    {
        // What was reserved for this host stays reserved for it.
        if (!own.IsReservation) await _renewer.ReleaseAsync(own, cancel);
        _own = null;
    }

    public async IAsyncEnumerable<LeaseUpdate> WatchAsync(NetworkConfig network, [EnumeratorCancellation] CancellationToken cancel)
    {
        var watcher = new LeaseWatcher(_registry, network, () => _own, _options, _time, _random, _counters, _log);
        await foreach (LeaseUpdate update in watcher.RunAsync(cancel)) yield return update;
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private Lease Remember(Lease own)
    {
        _own = new(SubnetKey.Format(own.Subnet), own.Attributes);
        return own;
    }
}
