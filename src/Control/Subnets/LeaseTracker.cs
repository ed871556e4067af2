namespace FlannelFast.Control.Subnets;

/// <summary>
/// What one watch knows of the keys of a registry: applies full reads and single changes so that repeated, late and out-of-order ones do no harm, and
/// says what they mean for the leases. One thread at a time.
/// </summary>
internal sealed class LeaseTracker(NetworkConfig network, LeaseReader reader, RefusalReport report, StoreCounters counters)
{
    private readonly LeaseArbiter _arbiter = new(report);
    private Dictionary<string, Slot> _slots = [];
    private long _listRevision;

    /// <summary>A key as it was last seen: also one that was deleted, until the next full read, and one that is no lease.</summary>
    /// <param name="ModRevision">Of its last change.</param>
    /// <param name="Lease">What it says, if that can be used.</param>
    /// <param name="Fingerprint">Of its value: a store restored from a backup gives revisions out a second time.</param>
    private readonly record struct Slot(long ModRevision, Lease? Lease, int Fingerprint);

    /// <summary>The newest revision seen: what to watch after.</summary>
    internal long Revision { get; private set; }

    /// <summary>Leases not used because they contradict others.</summary>
    internal int Contested => _arbiter.Contested;

    /// <summary>Takes a full read for the truth.</summary>
    internal LeaseUpdate.Snapshot Reset(RegistrySnapshot snapshot, OwnClaim? own)
    {
        var slots = new Dictionary<string, Slot>(snapshot.Entries.Count);
        foreach (RegistryEntry entry in snapshot.Entries) slots[entry.Key] = Read(entry, own);
        _slots = slots;
        Revision = _listRevision = snapshot.Revision;
        _arbiter.Reset(Leases(), own);
        report.EndRound(_slots.ContainsKey);
        return new([.. _arbiter.Used]);

        IEnumerable<KeyValuePair<string, Lease>> Leases()
        {
            foreach ((string key, Slot slot) in slots)
                if (slot.Lease is { } lease) yield return new(key, lease);
        }
    }

    /// <summary>Takes one change.</summary>
    /// <param name="change">From a watch that began at or after the last full read.</param>
    /// <param name="own">What this host is known by.</param>
    /// <param name="updates">Receives what became of that: nothing for a change that is older than what is known.</param>
    internal void Apply(RegistryChange change, OwnClaim? own, List<LeaseUpdate> updates)
    {
        long revision = change.Entry?.ModRevision ?? change.Revision;
        if (change.Revision <= _listRevision || (_slots.TryGetValue(change.Key, out Slot known) && revision <= known.ModRevision))
        {
            counters.PassedOver();
            return;
        }
        Revision = Math.Max(Revision, change.IsLast ? change.Revision : change.Revision - 1);
        Slot slot = change.Entry is { } entry ? Read(entry, own) : new(change.Revision, null, 0);
        _slots[change.Key] = slot;
        _arbiter.Set(change.Key, slot.Lease, own, updates);
        counters.Changed(_arbiter.Contested);
    }

    private Slot Read(RegistryEntry entry, OwnClaim? own)
    {
        var hash = new HashCode();
        hash.AddBytes(entry.Value.Span);
        int fingerprint = hash.ToHashCode();
        Lease? known = _slots.GetValueOrDefault(entry.Key).Lease;
        if (known is not null && known.ModRevision == entry.ModRevision && known.CreateRevision == entry.CreateRevision
            && _slots[entry.Key].Fingerprint == fingerprint)
            return new(entry.ModRevision, reader.Refresh(entry, known), fingerprint);

        if (!SubnetKey.TryParse(entry.Key, out LeasedSubnet? subnet)) return Refuse(RefusalKind.Key, "names no subnet, as 10.5.52.0-24 does");
        if (!reader.TryRead(entry, subnet, known, out Lease? lease, out string? error))
        {
            // What cannot be read says nothing new: whoever made the key still has the subnet. Our own is for the keeper to notice and put right.
            bool isKept = known is not null && known.CreateRevision == entry.CreateRevision && entry.Key != own?.Key;
            if (!isKept) return Refuse(RefusalKind.Value, error);
            return Refuse(RefusalKind.Value, $"{error}; the lease it was before stays") with { Lease = known! with { ModRevision = entry.ModRevision } };
        }
        return LeaseRules.FindFault(lease, network) is { } fault ? Refuse(RefusalKind.Lease, fault) : new(entry.ModRevision, lease, fingerprint);

        Slot Refuse(RefusalKind kind, string reason)
        {
            report.Add(entry.Key, entry.ModRevision, kind, reason);
            return new(entry.ModRevision, null, fingerprint);
        }
    }
}
