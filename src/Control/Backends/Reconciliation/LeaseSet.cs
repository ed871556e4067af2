using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>
/// The leases as they are now, put together from the store's stream. A lease that comes again and says what it said, as a renewal does, stays the object it was,
/// so that whoever compares references sees no change. One thread at a time.
/// </summary>
internal sealed class LeaseSet
{
    private readonly Dictionary<LeasedSubnet, Lease> _leases = [];

    /// <summary>A complete set was taken: what is missing is gone, not unknown.</summary>
    internal bool IsComplete { get; private set; }

    internal int Count => _leases.Count;

    internal Lease[] ToArray() => [.. _leases.Values];

    /// <summary>Takes one item of the stream.</summary>
    /// <returns>True if a backend has something to do about it.</returns>
    internal bool Take(LeaseUpdate update) => update switch
    {
        LeaseUpdate.Snapshot snapshot => Replace(snapshot.Leases),
        LeaseUpdate.Put put => Put(put.Lease),
        LeaseUpdate.Removed removed => _leases.Remove(removed.Subnet),
        _ => throw new ArgumentException($"an unknown update of leases: {update.GetType().Name}", nameof(update)),
    };

    private bool Replace(IReadOnlyList<Lease> leases)
    {
        var present = new HashSet<LeasedSubnet>(leases.Count);
        bool changed = !IsComplete;
        foreach (Lease lease in leases)
        {
            present.Add(lease.Subnet);
            changed |= Put(lease);
        }
        IsComplete = true;
        if (present.Count == _leases.Count) return changed;
        foreach (LeasedSubnet subnet in _leases.Keys)
        {
            if (!present.Contains(subnet)) _leases.Remove(subnet);
        }
        return true;
    }

    private bool Put(Lease lease)
    {
        if (_leases.TryGetValue(lease.Subnet, out Lease? known) && known.CreateRevision == lease.CreateRevision && known.Attributes == lease.Attributes)
            return false;
        _leases[lease.Subnet] = lease;
        return true;
    }
}
