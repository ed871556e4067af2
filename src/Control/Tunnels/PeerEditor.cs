using System.Net;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Changes the peers of a running tunnel. Every change is checked whole, then published whole: a reader of the table sees
/// all of it or none. Safe for concurrent use; changes are made one after the other.
/// </summary>
internal sealed class PeerEditor(TunnelConfig config, ITunnelRuntime runtime)
{
    private readonly Lock _oneChangeAtATime = new();

    /// <summary>Adds peers. One that is there with the same values is left alone.</summary>
    /// <param name="settings">The peers as the user wrote them.</param>
    /// <param name="replace">True to give a subnet that is there its new values; otherwise that is a conflict.</param>
    /// <exception cref="InvalidInputException">A peer does not fit the tunnel.</exception>
    /// <exception cref="PeerConflictException">A subnet is there with other values.</exception>
    internal PeerChange Add(IReadOnlyList<PeerSettings> settings, bool replace)
    {
        Peer[] added = new PeerValidator(config, new RequestOrigin()).Validate(settings);
        lock (_oneChangeAtATime)
        {
            Dictionary<IPNetwork, Peer> peers = Current();
            foreach (Peer peer in added)
            {
                if (!replace && peers.TryGetValue(peer.Subnet, out Peer? old) && old != peer)
                    throw new PeerConflictException($"peer {peer.Subnet} is there already at {Describe(old)}; add --replace to give it {Describe(peer)}");
                peers[peer.Subnet] = peer;
            }
            return Publish([.. peers.Values]);
        }
    }

    /// <summary>Removes peers by their subnets.</summary>
    /// <exception cref="InvalidInputException">A text is no subnet.</exception>
    /// <exception cref="PeerConflictException">There is no such peer.</exception>
    internal PeerChange Delete(IReadOnlyList<SettingValue> subnets)
    {
        lock (_oneChangeAtATime)
        {
            Dictionary<IPNetwork, Peer> peers = Current();
            foreach (SettingValue value in subnets)
            {
                if (!AddressText.TryParseNetwork(value.Text, out IPNetwork subnet, out bool hasHostBits))
                    throw new InvalidInputException($"peer {value}: expected a subnet in the form address/length, for example 10.5.2.0/24");
                if (hasHostBits) throw new InvalidInputException($"peer {value}: has bits set behind the prefix; expected {subnet}");
                if (!peers.Remove(subnet)) throw new PeerConflictException($"there is no peer with the subnet {subnet}");
            }
            return Publish([.. peers.Values]);
        }
    }

    /// <summary>Puts validated peers in the place of all that are there.</summary>
    internal PeerChange Replace(IReadOnlyList<Peer> peers)
    {
        lock (_oneChangeAtATime) return Publish(peers);
    }

    private static string Describe(Peer peer) => peer.VtepMac.IsZero ? $"{peer.PublicIP}" : $"{peer.PublicIP},{peer.VtepMac}";

    private Dictionary<IPNetwork, Peer> Current() => runtime.Peers.ToDictionary(p => p.Subnet);

    private PeerChange Publish(IReadOnlyList<Peer> peers)
    {
        Dictionary<IPNetwork, Peer> old = Current();
        int added = 0, changed = 0, unchanged = 0;
        foreach (Peer peer in peers)
        {
            if (!old.TryGetValue(peer.Subnet, out Peer? before)) added++;
            else if (before == peer) unchanged++;
            else changed++;
        }
        var change = new PeerChange(added, changed, old.Count - unchanged - changed, unchanged);
        if (change is not { Added: 0, Changed: 0, Removed: 0 }) runtime.ReplacePeers(peers);
        return change;
    }
}
