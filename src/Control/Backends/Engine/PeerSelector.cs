using System.Net;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Backends.Engine;

/// <summary>
/// Makes the peers of a tunnel out of leases. What a lease means is remembered for as long as the same object comes again, so that one change
/// among thousands of leases costs one look. Leases that contradict each other are the store's to sort out; here only what would
/// make the engine refuse the whole table. One thread at a time.
/// </summary>
/// <param name="own">What this host holds.</param>
/// <param name="underlay">This host's address in the underlay.</param>
/// <param name="read">What a lease of another host means.</param>
internal sealed class PeerSelector(LeasedSubnet own, IPAddress underlay, Func<Lease, PeerCandidate> read)
{
    private readonly IPNetwork[] _ownSubnets = [.. new[] { own.Ipv4, own.Ipv6 }.OfType<IPNetwork>()];
    // Used again at every call: for thousands of leases they are large objects, which only a full collection frees.
    private readonly List<(Prefix Subnet, Lease Lease, Peer Peer)> _order = [];
    private Dictionary<Lease, Verdict> _known = new(ReferenceEqualityComparer.Instance), _before = new(ReferenceEqualityComparer.Instance);

    private readonly record struct Verdict(Peer? Peer, Prefix Subnet, string? Refusal);

    /// <summary>The peers, by family and subnet in ascending order.</summary>
    /// <param name="leases">Of all hosts; our own is passed over.</param>
    /// <param name="failures">Receives a sentence for each lease that should have become a peer and cannot.</param>
    internal List<Peer> Select(IReadOnlyCollection<Lease> leases, List<string> failures)
    {
        (_known, _before) = (_before, _known);
        _known.Clear();
        _order.Clear();
        foreach (Lease lease in leases)
        {
            if (lease.Subnet == own) continue;
            if (!_before.TryGetValue(lease, out Verdict verdict)) verdict = Judge(lease);
            _known.TryAdd(lease, verdict);
            if (verdict.Refusal is not null) failures.Add(verdict.Refusal);
            if (verdict.Peer is not null) _order.Add((verdict.Subnet, lease, verdict.Peer));
        }
        return InOrder(failures);
    }

    private List<Peer> InOrder(List<string> failures)
    {
        _order.Sort(static (a, b) =>
        {
            int bySubnet = PeerOrder.Compare(a.Subnet, b.Subnet);
            return bySubnet != 0 ? bySubnet : a.Lease.CreateRevision.CompareTo(b.Lease.CreateRevision);
        });
        var peers = new List<Peer>(_order.Count);
        for (int i = 0; i < _order.Count; i++)
        {
            if (i > 0 && _order[i].Subnet == _order[i - 1].Subnet)
                failures.Add(Sentence(_order[i].Lease, $"{_order[i].Peer.Subnet} is leased by another host too, which was there first"));
            else
                peers.Add(_order[i].Peer);
        }
        return peers;
    }

    private Verdict Judge(Lease lease)
    {
        PeerCandidate candidate = read(lease);
        if (candidate.Peer is not { } peer) return new(null, default, candidate.Refusal is { } reason ? Sentence(lease, reason) : null);
        string? fault = Fault(peer);
        return fault is null ? new(peer, Prefix.From(peer.Subnet), null) : new(null, default, Sentence(lease, fault));
    }

    private string? Fault(Peer peer)
    {
        if (peer.PublicIP.Equals(underlay)) return $"its address {peer.PublicIP} is this host's own";
        if (peer.PublicIP.AddressFamily != underlay.AddressFamily) return $"its address {peer.PublicIP} is not of the family of this host's {underlay}";
        if (!AddressRules.IsUnicast(peer.PublicIP)) return $"no host can be at {peer.PublicIP}";
        if (peer.Subnet.Contains(peer.PublicIP)) return $"its address {peer.PublicIP} lies inside its own subnet";
        return PeerTable.WhyRefused(_ownSubnets, peer);
    }

    private static string Sentence(Lease lease, string reason) => $"lease {lease.Subnet}: {reason}";
}
