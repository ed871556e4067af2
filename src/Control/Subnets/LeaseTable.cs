namespace FlannelFast.Control.Subnets;

/// <summary>
/// The leases of the cluster as they are now, kept from the updates of a watch. Tells apart what a backend must act upon from what only lets a lease live
/// on: with stock every renewal of every peer is announced as a new peer. One writer; readers on any thread.
/// </summary>
internal sealed class LeaseTable
{
    private readonly Lock _lock = new();
    private Dictionary<LeasedSubnet, Lease> _leases = [];
    // Made when asked for: a reader takes it far less often than leases change.
    private Lease[]? _current = [];

    /// <summary>False until the first complete read: nothing may be removed from the host before.</summary>
    internal bool IsComplete { get; private set; }

    /// <summary>All leases, this host's own among them, in no particular order. The array is never changed again.</summary>
    internal IReadOnlyCollection<Lease> Current
    {
        get
        {
            lock (_lock) return _current ??= [.. _leases.Values];
        }
    }

    /// <summary>The lease of a subnet; null if there is none.</summary>
    internal Lease? Find(LeasedSubnet subnet)
    {
        lock (_lock) return _leases.GetValueOrDefault(subnet);
    }

    /// <summary>Takes one update.</summary>
    /// <returns>True if a lease came, went, or says something else than before: apply <see cref="Current"/> to the host.</returns>
    internal bool Apply(LeaseUpdate update)
    {
        lock (_lock)
        {
            bool changed = update switch
            {
                LeaseUpdate.Snapshot snapshot => Replace(snapshot.Leases),
                LeaseUpdate.Put put => Put(_leases, put.Lease),
                LeaseUpdate.Removed removed => _leases.Remove(removed.Subnet),
                _ => throw new ArgumentException($"unknown update {update}", nameof(update)),
            };
            _current = null;
            return changed;
        }
    }

    private bool Replace(IReadOnlyList<Lease> leases)
    {
        bool changed = !IsComplete || leases.Count != _leases.Count;
        IsComplete = true;
        var all = new Dictionary<LeasedSubnet, Lease>(leases.Count);
        foreach (Lease lease in leases)
        {
            all[lease.Subnet] = lease;
            changed = changed || !_leases.TryGetValue(lease.Subnet, out Lease? before) || before.Attributes != lease.Attributes;
        }
        _leases = all;
        return changed;
    }

    private static bool Put(Dictionary<LeasedSubnet, Lease> leases, Lease lease)
    {
        bool isSame = leases.TryGetValue(lease.Subnet, out Lease? before) && before.Attributes == lease.Attributes;
        leases[lease.Subnet] = lease;
        return !isSame;
    }
}
