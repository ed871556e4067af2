namespace FlannelFast.Control.Subnets;

/// <summary>
/// Makes and removes reservations: leases without end, which a host finds by its PublicIP and keeps. Never touches what belongs to another host. Stock since
/// 0.18 gives a reservation of its own an end when it starts (subnet/etcd/local_manager.go); those of other hosts it leaves alone.
/// </summary>
/// <param name="registry">Not owned.</param>
internal sealed class ReservationEditor(ISubnetRegistry registry)
{
    /// <summary>Reserves a subnet.</summary>
    /// <param name="subnet">Which.</param>
    /// <param name="attributes">For whom.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What was done, as one sentence without full stop.</returns>
    /// <exception cref="StoreConflictException">The subnet is somebody else's, or does not fit the network config; nothing was changed.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked.</exception>
    internal async Task<string> ReserveAsync(LeasedSubnet subnet, LeaseAttributes attributes, CancellationToken cancel)
    {
        await ThrowIfUnfitAsync(subnet, cancel).ConfigureAwait(false);
        string key = SubnetKey.Format(subnet);
        RegistryEntry? own = null;
        foreach (RegistryEntry entry in (await registry.ListAsync(cancel).ConfigureAwait(false)).Entries)
        {
            if (entry.Key == key) own = entry;
            else ThrowIfInTheWay(entry, subnet, attributes);
        }
        return own is null
            ? await CreateAsync(key, subnet, attributes, cancel).ConfigureAwait(false)
            : await KeepAsync(own, subnet, attributes, cancel).ConfigureAwait(false);
    }

    /// <summary>Removes a reservation.</summary>
    /// <param name="subnet">Of which subnet.</param>
    /// <param name="force">Also remove a lease that has an end, and with that the subnet of a host that may be running.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What was done, as one sentence without full stop.</returns>
    /// <exception cref="StoreConflictException">There is none; nothing was changed.</exception>
    /// <exception cref="StoreUnavailableException">The store could not be asked.</exception>
    internal async Task<string> RemoveAsync(LeasedSubnet subnet, bool force, CancellationToken cancel)
    {
        RegistryEntry entry = await registry.ReadAsync(SubnetKey.Format(subnet), cancel).ConfigureAwait(false) ?? throw new StoreConflictException($"{subnet} is not reserved");
        if (!IsReservation(entry) && !force) throw new StoreConflictException($"{subnet} is not reserved but leased by {Holder(entry)}; --force removes it all the same");
        if (!await registry.DeleteAsync(entry.Key, entry.ModRevision, cancel).ConfigureAwait(false)) throw Changed(subnet);
        return $"{subnet} of {Holder(entry)} is free";
    }

    private async Task<string> CreateAsync(string key, LeasedSubnet subnet, LeaseAttributes attributes, CancellationToken cancel)
    {
        if (await registry.CreateAsync(key, LeaseValue.Format(attributes), timeToLive: null, cancel).ConfigureAwait(false) is null) throw Changed(subnet);
        return $"{subnet} is reserved for {Name(attributes)}";
    }

    /// <summary>A lease of the same host becomes a reservation with all that it publishes: its peers must not lose it for that.</summary>
    private async Task<string> KeepAsync(RegistryEntry own, LeasedSubnet subnet, LeaseAttributes attributes, CancellationToken cancel)
    {
        if (!IsHeldBy(own, attributes)) throw new StoreConflictException($"{subnet} is {(IsReservation(own) ? "reserved for" : "leased by")} {Holder(own)}");
        if (IsReservation(own)) return $"{subnet} is reserved for {Name(attributes)} already";
        if (await registry.ReplaceAsync(own.Key, own.Value, timeToLive: null, own.ModRevision, cancel).ConfigureAwait(false) is null) throw Changed(subnet);
        return $"{subnet}, leased by {Name(attributes)}, is reserved for it now";
    }

    private async Task ThrowIfUnfitAsync(LeasedSubnet subnet, CancellationToken cancel)
    {
        if (await registry.ReadConfigAsync(cancel).ConfigureAwait(false) is not { } config) return;
        try
        {
            NetworkConfig network = NetworkConfigParser.Parse(config);
            if (!LeaseRules.Fits(subnet, network)) throw new StoreConflictException($"{subnet} is none of the subnets that the network config has: {Describe(network)}");
        }
        catch (NetworkConfigException e)
        {
            throw new StoreConflictException($"the network config in {registry.Description} cannot be used: {e.Message}");
        }
    }

    private static void ThrowIfInTheWay(RegistryEntry entry, LeasedSubnet subnet, LeaseAttributes attributes)
    {
        if (!SubnetKey.TryParse(entry.Key, out LeasedSubnet? other)) return;
        if (Overlap(other.Ipv4, subnet.Ipv4) || Overlap(other.Ipv6, subnet.Ipv6)) throw new StoreConflictException($"{subnet} overlaps {other} of {Holder(entry)}");
        // Which of its two a host would take is left to chance: stock takes the first that a listing has.
        if (IsHeldBy(entry, attributes)) throw new StoreConflictException($"{Name(attributes)} has {other} already; \"reserve --remove\" that first");
    }

    private static bool Overlap(System.Net.IPNetwork? one, System.Net.IPNetwork? other) =>
        one is { } a && other is { } b && (a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress));

    private static bool IsReservation(RegistryEntry entry) => entry.IsTimeToLiveKnown && entry.TimeToLive is null;

    private static bool IsHeldBy(RegistryEntry entry, LeaseAttributes host) => LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? holder, out _)
        && (host.PublicIP is not null ? host.PublicIP.Equals(holder.PublicIP) : host.PublicIPv6!.Equals(holder.PublicIPv6));

    private static string Holder(RegistryEntry entry) => LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? holder, out _) ? Name(holder) : "an unknown host";

    private static string Name(LeaseAttributes host) => (host.PublicIP ?? host.PublicIPv6)?.ToString() ?? "an unknown host";

    private static string Describe(NetworkConfig network) => string.Join(", and ", new[] { network.Ipv4, network.Ipv6 }
        .Where(family => family is not null).Select(family => $"of length {family!.SubnetLength} from {family.SubnetMin} to {family.SubnetMax}"));

    private StoreConflictException Changed(LeasedSubnet subnet) => new($"{subnet} has changed in {registry.Description} meanwhile; try again");
}
