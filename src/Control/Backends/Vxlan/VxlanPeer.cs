using System.Net;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>Another host of the VXLAN overlay, one address family of it.</summary>
/// <param name="Subnet">Its pods; the first address is its device's.</param>
/// <param name="PublicIP">Where its outer packets go.</param>
/// <param name="Mac">Its device's Ethernet address.</param>
internal readonly record struct VxlanPeer(IPNetwork Subnet, IPAddress PublicIP, MacAddress Mac)
{
    /// <summary>The peers among leases that were found fit. Two hosts with one VtepMAC would get each other's packets: the older lease keeps it.</summary>
    /// <param name="leases">Of one family, oldest first.</param>
    /// <param name="ipv6">Which data of the lease counts.</param>
    /// <param name="ownMac">Our own device's.</param>
    /// <param name="failures">Gets one sentence for each lease that is refused.</param>
    internal static List<VxlanPeer> Read(IReadOnlyCollection<PeerLease> leases, bool ipv6, MacAddress ownMac, List<string> failures)
    {
        List<VxlanPeer> peers = new(leases.Count);
        Dictionary<MacAddress, VxlanPeer> owners = new(leases.Count);
        foreach (PeerLease lease in leases)
        {
            if (!VxlanLeaseData.TryRead(ipv6 ? lease.Lease.Attributes.BackendV6Data : lease.Lease.Attributes.BackendData, out VxlanLeaseData? data, out string? refusal))
            {
                failures.Add($"lease {lease.Subnet} of {lease.PublicIP}: {refusal}");
                continue;
            }
            VxlanPeer peer = new(lease.Subnet, lease.PublicIP, data.VtepMac);
            if (peer.Mac == ownMac)
                failures.Add($"lease {peer.Subnet} of {peer.PublicIP}: its VtepMAC {peer.Mac} is this host's own");
            else if (!owners.TryAdd(peer.Mac, peer) && !owners[peer.Mac].PublicIP.Equals(peer.PublicIP))
                failures.Add($"lease {peer.Subnet} of {peer.PublicIP}: its VtepMAC {peer.Mac} is that of {owners[peer.Mac].PublicIP}, which holds an older lease");
            else
                peers.Add(peer);
        }
        return peers;
    }
}
