using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Decides which leases are used where some contradict each other. Of two that overlap or have one PublicIP the lower create revision stays: all hosts
/// decide alike, and nobody can push out who was there before. Of two that have one VtepMAC the higher stays: a host whose address changed
/// while it was down keeps its device and with it the MAC, and its old lease lives on for a day. This host's own lease always stays. One thread at a time.
/// </summary>
/// <param name="report">Told of each lease that is not used.</param>
internal sealed class LeaseArbiter(RefusalReport report)
{
    private readonly Dictionary<string, Lease> _candidates = [];
    private readonly ClaimIndex _index = new();
    private readonly Dictionary<(bool IsIpv6, MacAddress Mac), string> _macs = [];
    private Dictionary<string, Lease> _accepted = [];
    private OwnClaim? _own;

    /// <summary>The leases that are used.</summary>
    internal IReadOnlyCollection<Lease> Accepted => _accepted.Values;

    /// <summary>How many are not, because they contradict others.</summary>
    internal int Contested => _candidates.Count - _accepted.Count;

    /// <summary>Starts anew with a complete set.</summary>
    internal void Reset(IEnumerable<KeyValuePair<string, Lease>> candidates, OwnClaim? own)
    {
        _own = own;
        _candidates.Clear();
        foreach ((string key, Lease lease) in candidates) _candidates.Add(key, lease);
        Decide();
    }

    /// <summary>Takes one change.</summary>
    /// <param name="key">The key that changed.</param>
    /// <param name="lease">Its lease now; null if it has none that can be used.</param>
    /// <param name="own">What this host is known by.</param>
    /// <param name="updates">Receives what became of that, removals first.</param>
    internal void Set(string key, Lease? lease, OwnClaim? own, List<LeaseUpdate> updates)
    {
        bool contested = Contested > 0, isSameHost = ReferenceEquals(own, _own);
        _candidates.Remove(key, out Lease? before);
        if (lease is not null) _candidates.Add(key, lease);
        bool wasUsed = _accepted.TryGetValue(key, out Lease? used);
        bool isSameClaim = before is not null && lease is not null && ClaimIndex.IsSameClaim(before, lease);
        if (isSameHost && (isSameClaim || !contested) && TrySetAlone(key, lease, used, wasUsed || !contested, updates)) return;
        _own = own;
        Dictionary<string, Lease> old = _accepted;
        Decide();
        foreach ((string other, Lease gone) in old)
            if (!_accepted.ContainsKey(other)) updates.Add(new LeaseUpdate.Removed(gone.Subnet));
        foreach ((string other, Lease now) in _accepted)
            if (!old.TryGetValue(other, out Lease? then) || !ReferenceEquals(then, now)) updates.Add(new LeaseUpdate.Put(now));
    }

    /// <summary>The usual case: nothing but this key is affected. False if others may be, with nothing decided.</summary>
    private bool TrySetAlone(string key, Lease? lease, Lease? used, bool isUsed, List<LeaseUpdate> updates)
    {
        // Refused before, the same claim now: refused still.
        if (!isUsed) return true;
        if (used is not null) Drop(key, used);
        if (lease is not null && (FindConflict(key, lease) ?? FindMacRival(lease)) is not null)
        {
            if (used is not null) Use(key, used);
            return false;
        }
        if (lease is not null)
        {
            Use(key, lease);
            updates.Add(new LeaseUpdate.Put(lease));
        }
        else if (used is not null)
        {
            updates.Add(new LeaseUpdate.Removed(used.Subnet));
        }
        return true;
    }

    private void Decide()
    {
        _index.Clear();
        _macs.Clear();
        _accepted = new(_candidates.Count);
        foreach ((string key, Lease lease) in InOrder())
        {
            string? conflict = FindConflict(key, lease), rival;
            while (conflict is null && (rival = FindMacRival(lease)) is not null)
            {
                if (rival == _own?.Key)
                {
                    conflict = "has the VtepMAC of this host";
                    continue;
                }
                Lease older = _accepted[rival];
                report.Add(rival, older.ModRevision, RefusalKind.Conflict, $"has the VtepMAC of {lease.Subnet}, which came later");
                Drop(rival, older);
            }
            if (conflict is null) Use(key, lease);
            else report.Add(key, lease.ModRevision, RefusalKind.Conflict, conflict);
        }
    }

    private void Use(string key, Lease lease)
    {
        _index.Add(lease);
        _accepted[key] = lease;
        foreach ((bool, MacAddress) mac in ClaimIndex.Macs(lease.Attributes)) _macs.Add(mac, key);
    }

    private void Drop(string key, Lease lease)
    {
        _index.Remove(lease);
        _accepted.Remove(key);
        foreach ((bool, MacAddress) mac in ClaimIndex.Macs(lease.Attributes)) _macs.Remove(mac);
    }

    private string? FindMacRival(Lease lease)
    {
        foreach ((bool, MacAddress) mac in ClaimIndex.Macs(lease.Attributes))
            if (_macs.TryGetValue(mac, out string? rival)) return rival;
        return null;
    }

    private List<KeyValuePair<string, Lease>> InOrder()
    {
        var order = new List<KeyValuePair<string, Lease>>(_candidates);
        order.Sort((a, b) =>
        {
            int byOwner = IsOwn(b.Key, b.Value).CompareTo(IsOwn(a.Key, a.Value));
            if (byOwner != 0) return byOwner;
            int byRevision = a.Value.CreateRevision.CompareTo(b.Value.CreateRevision);
            return byRevision != 0 ? byRevision : string.CompareOrdinal(a.Key, b.Key);
        });
        return order;
    }

    private string? FindConflict(string key, Lease lease)
    {
        // Our own key cannot be somebody who poses as us, even if it says something new: the watch may hear of a renewal before its caller does.
        if (_own is not null && key != _own.Key && ClaimIndex.FindConflict(lease, _own.Attributes) is { } conflict) return conflict;
        return _index.FindConflict(lease);
    }

    private bool IsOwn(string key, Lease lease) => _own?.IsSame(key, lease.Attributes) == true;
}
