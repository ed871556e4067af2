using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// Brings the neighbours and forwarding entries of one VXLAN device to those of its peers, once. What is on the device and not flannel's
/// stays: neighbours outside the pod network, entries that are not permanent or not plain, forwarding entries that no peer had.
/// </summary>
internal sealed class VtepUpdate
{
    private readonly NetlinkClient _netlink;
    private readonly KernelVxlanState _wanted;
    private readonly Dictionary<IPAddress, Neighbour> _neighbours;
    private readonly Dictionary<MacAddress, FdbEntry> _fdb;
    private readonly List<Step> _made = [];

    /// <summary>Reads what is on the device.</summary>
    /// <param name="netlink">Host access, not owned.</param>
    /// <param name="wanted">What should be there.</param>
    /// <exception cref="NetlinkException">It cannot be read.</exception>
    internal VtepUpdate(NetlinkClient netlink, KernelVxlanState wanted)
    {
        _netlink = netlink;
        _wanted = wanted;
        List<Neighbour> neighbours = netlink.Neighbours.List(wanted.Device, wanted.Network.BaseAddress.AddressFamily);
        _neighbours = new(neighbours.Count);
        foreach (Neighbour neighbour in neighbours) _neighbours[neighbour.Address] = neighbour;
        List<FdbEntry> fdb = netlink.Fdb.List(wanted.Device);
        _fdb = new(fdb.Count);
        // A dump of a table that changes may tell an entry twice; the zero address has several destinations and is never ours.
        foreach (FdbEntry entry in fdb) _fdb[entry.Mac] = entry;
    }

    /// <summary>Sets what is missing or different: of each peer first the neighbour, then the forwarding entry.</summary>
    /// <param name="peers">Those that the device carries.</param>
    /// <param name="changes">Gets one phrase for each peer that was changed.</param>
    /// <returns>The peers for which the kernel refused something, with its words.</returns>
    internal Dictionary<IPNetwork, string> Set(IReadOnlyCollection<VxlanPeer> peers, List<string> changes)
    {
        NetlinkBatch batch = new();
        List<Step> steps = [];
        HashSet<MacAddress> set = [];
        foreach (VxlanPeer peer in peers)
        {
            Neighbour neighbour = _wanted.Neighbours[peer.Subnet.BaseAddress];
            Neighbour? oldNeighbour = _neighbours.GetValueOrDefault(neighbour.Address);
            if (oldNeighbour != neighbour)
            {
                NeighbourClient.Set(batch, neighbour);
                steps.Add(new(peer, neighbour, null, oldNeighbour is null));
            }
            FdbEntry entry = _wanted.Fdb[peer.Mac];
            FdbEntry? oldEntry = _fdb.GetValueOrDefault(entry.Mac);
            // One host with two subnets has one entry.
            if (oldEntry != entry && set.Add(entry.Mac))
            {
                FdbClient.Set(batch, entry);
                steps.Add(new(peer, null, entry, oldEntry is null));
            }
        }
        Dictionary<IPNetwork, string> failures = [];
        NetlinkException?[] refusals = _netlink.Execute(batch);
        for (int i = 0; i < refusals.Length; i++)
        {
            Step step = steps[i];
            if (refusals[i] is { } refused)
            {
                failures.TryAdd(step.Peer.Subnet, refused.Message);
                continue;
            }
            if (step.IsNew) _made.Add(step);
            changes.Add($"peer {step.Peer.Subnet} at {step.Peer.PublicIP}: {(step.Neighbour is null ? "forwarding entry" : "neighbour")}");
        }
        return failures;
    }

    /// <summary>Takes back what <see cref="Set"/> made for peers that could not be set completely.</summary>
    /// <param name="failed">Their subnets.</param>
    /// <param name="failures">Gets one sentence for each entry that cannot be removed.</param>
    internal void RollBack(IReadOnlyCollection<IPNetwork> failed, List<string> failures)
    {
        NetlinkBatch batch = new();
        foreach (Step step in _made)
        {
            if (!failed.Contains(step.Peer.Subnet)) continue;
            if (step.Entry is not null) FdbClient.Delete(batch, step.Entry);
            if (step.Neighbour is not null) NeighbourClient.Delete(batch, step.Neighbour);
        }
        Execute(batch, failures);
    }

    /// <summary>Removes what belongs to peers that are gone.</summary>
    /// <param name="former">Ethernet addresses whose forwarding entries this process has set: ours in any case.</param>
    /// <param name="changes">Gets one phrase for each entry that was removed.</param>
    /// <param name="failures">Gets one sentence for each that cannot be removed.</param>
    internal void RemoveStale(IEnumerable<MacAddress> former, List<string> changes, List<string> failures)
    {
        HashSet<MacAddress> candidates = [.. former], inUse = [];
        NetlinkBatch batch = new();
        List<string> removals = [];
        foreach (Neighbour neighbour in _neighbours.Values)
        {
            if ((neighbour.State & NeighbourState.Permanent) == 0 || !_wanted.Network.Contains(neighbour.Address))
            {
                inUse.Add(neighbour.Mac);
                continue;
            }
            candidates.Add(neighbour.Mac);
            if (_wanted.Neighbours.ContainsKey(neighbour.Address)) continue;
            NeighbourClient.Delete(batch, neighbour);
            removals.Add($"neighbour {neighbour} removed");
        }
        foreach (MacAddress mac in candidates)
        {
            if (_wanted.Fdb.ContainsKey(mac) || inUse.Contains(mac) || !_fdb.TryGetValue(mac, out FdbEntry? entry)) continue;
            if (mac.IsZero || mac.IsMulticast || !entry.IsPlain || entry.Destination is null || (entry.State & NeighbourState.Permanent) == 0) continue;
            FdbClient.Delete(batch, entry);
            removals.Add($"forwarding entry {entry} removed");
        }
        NetlinkException?[] refusals = Execute(batch, failures);
        for (int i = 0; i < refusals.Length; i++)
        {
            if (refusals[i] is null) changes.Add(removals[i]);
        }
    }

    private NetlinkException?[] Execute(NetlinkBatch batch, List<string> failures)
    {
        NetlinkException?[] refusals = _netlink.Execute(batch);
        foreach (NetlinkException? refused in refusals)
        {
            if (refused is not null) failures.Add(refused.Message);
        }
        return refusals;
    }

    /// <summary>One request for one peer: a neighbour or a forwarding entry.</summary>
    private readonly record struct Step(VxlanPeer Peer, Neighbour? Neighbour, FdbEntry? Entry, bool IsNew);
}
