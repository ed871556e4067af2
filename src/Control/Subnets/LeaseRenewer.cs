using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Extends and gives back a lease that a host believes to hold. Never writes over what somebody else wrote: the key is read, and then written or deleted only
/// as it was read; what is no lease at all in the key that we made is put right. The revision remembered from the last renewal is not enough: a store restored from a backup gives it out a second time.
/// </summary>
internal sealed class LeaseRenewer(ISubnetRegistry registry, RegistryStoreOptions options, TimeProvider time, ILogger log)
{
    /// <summary>Each further try means that our own key was written by us, or in our name, since it was read.</summary>
    private const int MaxTries = 5;

    /// <inheritdoc cref="ISubnetStore.RenewAsync"/>
    internal async Task<Lease> RenewAsync(Lease own, LeaseAttributes attributes, CancellationToken cancel)
    {
        string key = SubnetKey.Format(own.Subnet);
        byte[] value = LeaseValue.Format(attributes);
        for (int i = 0; i < MaxTries; i++)
        {
            RegistryEntry before = await ReadOwnAsync(key, own, attributes, cancel);
            bool isLease = IsLease(before);
            if (!isLease) log.OwnKeySpoilt(own.Subnet);
            // Made a reservation meanwhile, or none any more: that is for the operator to say, not for us.
            bool isReservation = isLease && before.IsTimeToLiveKnown ? before.TimeToLive is null : own.IsReservation;
            long asked = time.GetTimestamp();
            RegistryEntry? written = await registry.ReplaceAsync(key, value, isReservation ? null : options.TimeToLive, before.ModRevision, cancel);
            if (written is null) continue;
            // What is read after the write decides: etcd before 3.4.38 says of a revoked lease that it was renewed.
            RegistryEntry now = await ReadOwnAsync(key, own, attributes, cancel);
            if (now.ModRevision == written.ModRevision) return ToLease(own, attributes, now, isReservation, asked);
            if (now.ModRevision < written.ModRevision)
                throw new StoreUnavailableException($"{registry.Description} answered with a state from before the renewal of {own.Subnet}");
        }
        throw new StoreUnavailableException($"{registry.Description} changed the lease of {own.Subnet} each time it was to be renewed");
    }

    /// <inheritdoc cref="ISubnetStore.ReleaseAsync"/>
    internal async Task ReleaseAsync(Lease own, CancellationToken cancel)
    {
        string key = SubnetKey.Format(own.Subnet);
        for (int i = 0; i < MaxTries; i++)
        {
            if (await registry.ReadAsync(key, cancel) is not { } now || !LeaseAcquirer.IsOwn(now, own.Attributes)) return;
            if (await registry.DeleteAsync(key, now.ModRevision, cancel)) return;
        }
        throw new StoreUnavailableException($"{registry.Description} changed the lease of {own.Subnet} each time it was to be released");
    }

    private async Task<RegistryEntry> ReadOwnAsync(string key, Lease own, LeaseAttributes attributes, CancellationToken cancel)
    {
        if (await registry.ReadAsync(key, cancel) is not { } now)
            throw new LeaseLostException($"the lease of {own.Subnet} is gone from the store", isFree: true);
        // The new attributes too: a renewal that was never answered may have been written all the same.
        if (LeaseAcquirer.IsOwn(now, own.Attributes, attributes)) return now;
        // Still the key that we made, so no host has taken the subnet: what is in it is nobody's claim, but a slip or mischief.
        if (!IsLease(now) && now.CreateRevision == own.CreateRevision) return now;
        string owner = LeaseValue.TryParse(now.Value.Span, out LeaseAttributes? other, out _) && (other.PublicIP ?? other.PublicIPv6) is { } address
            ? $"belongs to {address} now" : "was overwritten with what is no lease";
        throw new LeaseLostException($"the lease of {own.Subnet} {owner}", isFree: false);
    }

    private static bool IsLease(RegistryEntry entry) => !entry.IsTruncated && LeaseValue.TryParse(entry.Value.Span, out _, out _);

    private Lease ToLease(Lease own, LeaseAttributes attributes, RegistryEntry now, bool isReservation, long asked)
    {
        long? expiresAt = isReservation ? null : time.Add(asked, options.TimeToLive);
        if (now.IsTimeToLiveKnown) expiresAt = now.TimeToLive is { } left ? time.After(left) : null;
        return own with { Attributes = attributes, ExpiresAt = expiresAt, CreateRevision = now.CreateRevision, ModRevision = now.ModRevision };
    }
}
