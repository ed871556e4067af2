using System.Net;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Decides which leases are used where some contradict each other. Of two that overlap the lower create revision stays: all hosts decide alike, and
/// nobody can push out who was there before. Of those left, of two hosts that have one VtepMAC the higher stays: a host whose address changed while it was
/// down keeps its device and with it the MAC, and its old lease lives on for a day. Two leases of one PublicIP are no contradiction: a host may have a
/// reservation that it does not use, of another SubnetLen for example, and nobody but the host knows which is the right one. This host's own lease always stays.
/// A change is followed no further than it has effects, so that a quarrel of two costs nothing for the other thousands. One thread at a time.
/// </summary>
/// <param name="report">Told of each lease that is not used.</param>
internal sealed class LeaseArbiter(RefusalReport report)
{
    private readonly Dictionary<string, Contender> _contenders = [];
    private readonly ContenderIndex _index = new();
    // The accepted of each MAC, the best right first. Its winner decides which host has it.
    private readonly Dictionary<(bool IsIpv6, MacAddress Mac), SortedSet<Contender>> _macs = [];
    private readonly SortedSet<Contender> _undecided = [];
    // Whose use may be another than before.
    private readonly HashSet<Contender> _touched = [];
    private OwnClaim? _own;
    private int _used;

    /// <summary>The leases that are used.</summary>
    internal IEnumerable<Lease> Used
    {
        get
        {
            foreach (Contender contender in _contenders.Values)
                if (contender.IsUsed) yield return contender.Lease;
        }
    }

    /// <summary>How many are not, because they contradict others.</summary>
    internal int Contested => _contenders.Count - _used;

    /// <summary>Starts anew with a complete set.</summary>
    internal void Reset(IEnumerable<KeyValuePair<string, Lease>> leases, OwnClaim? own)
    {
        (_own, _used) = (own, 0);
        _contenders.Clear();
        _index.Clear();
        _macs.Clear();
        foreach ((string key, Lease lease) in leases) Enter(key, lease);
        Decide();
        foreach (Contender contender in _touched) Settle(contender);
        _touched.Clear();
    }

    /// <summary>Takes one change.</summary>
    /// <param name="key">The key that changed.</param>
    /// <param name="lease">Its lease now; null if it has none that can be used.</param>
    /// <param name="own">What this host is known by.</param>
    /// <param name="updates">Receives what became of that, removals first.</param>
    internal void Set(string key, Lease? lease, OwnClaim? own, List<LeaseUpdate> updates)
    {
        if (!ReferenceEquals(own, _own))
        {
            SetAnew(key, lease, own, updates);
            return;
        }
        Contender? before = _contenders.GetValueOrDefault(key);
        if (before is not null && lease is not null && before.IsSameClaim(lease))
        {
            before.Lease = lease;
            if (before.IsUsed) updates.Add(new LeaseUpdate.Put(lease));
            return;
        }
        if (before is not null) Leave(before);
        Contender? after = lease is null ? null : Enter(key, lease);
        Decide();
        if (before?.IsUsed == true)
        {
            _used--;
            if (after?.IsAccepted != true || !Wins(after)) updates.Add(new LeaseUpdate.Removed(before.Lease.Subnet));
        }
        var puts = new List<LeaseUpdate>();
        foreach (Contender contender in _touched)
        {
            if (contender == before || !Settle(contender)) continue;
            if (contender.IsUsed) puts.Add(new LeaseUpdate.Put(contender.Lease));
            else updates.Add(new LeaseUpdate.Removed(contender.Lease.Subnet));
        }
        updates.AddRange(puts);
        _touched.Clear();
    }

    /// <summary>This host is known by something else: every claim may stand differently to it.</summary>
    private void SetAnew(string key, Lease? lease, OwnClaim? own, List<LeaseUpdate> updates)
    {
        var before = new Dictionary<LeasedSubnet, Lease>();
        foreach (Lease used in Used) before[used.Subnet] = used;
        var leases = new Dictionary<string, Lease>(_contenders.Count + 1);
        foreach ((string other, Contender contender) in _contenders) leases.Add(other, contender.Lease);
        leases.Remove(key);
        if (lease is not null) leases.Add(key, lease);
        Reset(leases, own);
        var puts = new List<LeaseUpdate>();
        foreach (Lease used in Used)
            if (!before.Remove(used.Subnet, out Lease? old) || !ReferenceEquals(old, used)) puts.Add(new LeaseUpdate.Put(used));
        foreach (LeasedSubnet gone in before.Keys) updates.Add(new LeaseUpdate.Removed(gone));
        updates.AddRange(puts);
    }

    private Contender Enter(string key, Lease lease)
    {
        var contender = new Contender(key, _own?.IsSame(key, lease.Attributes) == true) { Lease = lease };
        _contenders.Add(key, contender);
        _index.Add(contender);
        _undecided.Add(contender);
        return contender;
    }

    private void Leave(Contender contender)
    {
        _contenders.Remove(contender.Key);
        _index.Remove(contender);
        if (contender.IsAccepted) Turn(contender);
    }

    /// <summary>Judges what is undecided, the best right first: what follows from a verdict concerns only those that come later.</summary>
    private void Decide()
    {
        while (_undecided.Min is { } contender)
        {
            _undecided.Remove(contender);
            string? refusal = FindRefusal(contender);
            if (refusal is not null) report.Add(contender.Key, contender.Lease.ModRevision, RefusalKind.Conflict, refusal);
            if (contender.IsAccepted != refusal is null) Turn(contender);
        }
    }

    /// <summary>Accepts who was refused, or the other way round, and asks again about everybody for whom that matters.</summary>
    private void Turn(Contender contender)
    {
        contender.IsAccepted = !contender.IsAccepted;
        foreach (Contender rival in _index.Rivals(contender))
            if (rival.CompareTo(contender) > 0) _undecided.Add(rival);
        _touched.Add(contender);
        foreach ((bool IsIpv6, MacAddress) mac in contender.Macs)
        {
            if (!_macs.TryGetValue(mac, out SortedSet<Contender>? holders)) _macs.Add(mac, holders = []);
            Contender? before = WinnerOf(holders);
            if (contender.IsAccepted) holders.Add(contender);
            else holders.Remove(contender);
            Contender? now = WinnerOf(holders);
            if (now is null) _macs.Remove(mac);
            if (before is null || now?.IsSameHost(before, mac.IsIpv6) != true) Touch(before, mac);
            if (now is null || before?.IsSameHost(now, mac.IsIpv6) != true) Touch(now, mac);
        }
    }

    /// <summary>All leases of the host that had a MAC, or has it now, may be used or not any more.</summary>
    private void Touch(Contender? winner, (bool IsIpv6, MacAddress) mac)
    {
        if (winner is null) return;
        _touched.Add(winner);
        foreach (Contender sibling in _index.Siblings(winner, mac.IsIpv6))
            if (sibling.IsAccepted && sibling.Macs.Contains(mac)) _touched.Add(sibling);
    }

    /// <summary>Brings the use of a contender up to date. True if it changed.</summary>
    private bool Settle(Contender contender)
    {
        bool isUsed = contender.IsAccepted && Wins(contender);
        if (contender.IsAccepted && !isUsed)
            report.Add(contender.Key, contender.Lease.ModRevision, RefusalKind.Conflict, "has the VtepMAC of another host's lease that came later, or of this host");
        if (isUsed == contender.IsUsed) return false;
        contender.IsUsed = isUsed;
        _used += isUsed ? 1 : -1;
        return true;
    }

    private bool Wins(Contender contender)
    {
        foreach ((bool IsIpv6, MacAddress) mac in contender.Macs)
            if (!contender.IsSameHost(WinnerOf(_macs[mac])!, mac.IsIpv6)) return false;
        return true;
    }

    private static Contender? WinnerOf(SortedSet<Contender> holders) => holders.Min is { IsOwn: true } own ? own : holders.Max;

    private string? FindRefusal(Contender contender)
    {
        // Our own key cannot be somebody who poses as us, even if it says something new: the watch may hear of a renewal before its caller does.
        if (_own is not null && contender.Key != _own.Key && FindImposture(contender, _own.Attributes) is { } imposture) return imposture;
        foreach (Contender rival in _index.Rivals(contender))
        {
            if (!rival.IsAccepted || rival.CompareTo(contender) > 0) continue;
            return $"overlaps {rival.Lease.Subnet} of {string.Join(',', rival.Addresses)}, which was there first";
        }
        return null;
    }

    private static string? FindImposture(Contender contender, LeaseAttributes own)
    {
        foreach (IPAddress address in contender.Addresses)
            if (address.Equals(own.PublicIP) || address.Equals(own.PublicIPv6)) return $"has the address {address} of this host";
        foreach ((bool, MacAddress Mac) mac in contender.Macs)
            if (Contender.MacsOf(own).Contains(mac)) return $"has the VtepMAC {mac.Mac} of this host";
        return null;
    }
}
