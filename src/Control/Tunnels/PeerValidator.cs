using System.Net;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Checks peers against the tunnel they are for. The same rules hold for flags, files and requests to a running daemon.
/// Subnets of two peers may nest (the longest prefix wins); equal ones are refused.
/// </summary>
/// <param name="config">The tunnel; its own peers are not looked at.</param>
/// <param name="origin">Where the peers came from.</param>
internal sealed class PeerValidator(TunnelConfig config, SettingOrigin origin)
{
    private readonly bool _vxlan = config.Engine.Encapsulation == EncapsulationKind.Vxlan;

    /// <summary>Checks a whole list, also for subnets named twice.</summary>
    /// <exception cref="InvalidInputException">The first thing that is wrong.</exception>
    internal Peer[] Validate(IReadOnlyList<PeerSettings> settings)
    {
        var peers = new Peer[settings.Count];
        var seen = new Dictionary<IPNetwork, int>(settings.Count);
        for (int i = 0; i < peers.Length; i++)
        {
            PeerSettings peer = settings[i];
            if (peer is null) throw new InvalidInputException($"{origin.Describe(SettingKeys.Peers, default)}[{i}]: expected an object, not null");
            peers[i] = Validate(i, peer);
            if (!seen.TryAdd(peers[i].Subnet, i))
                throw Refused(i, peer, SettingKeys.PeerSubnet, peer.Subnet, $"{peers[i].Subnet} is given twice; expected each subnet once");
        }
        return peers;
    }

    private Peer Validate(int index, PeerSettings peer)
    {
        IPNetwork subnet = Subnet(index, peer);
        IPAddress host = PublicIP(index, peer);
        if (subnet.Contains(host))
            throw Refused(index, peer, SettingKeys.PeerPublicIP, peer.PublicIP, $"expected an underlay address outside {subnet}, or its packets would be sent into the tunnel again");
        return new(subnet, host, Mac(index, peer, host));
    }

    private IPNetwork Subnet(int index, PeerSettings peer)
    {
        SettingValue value = peer.Subnet;
        if (!value.IsSet) throw Missing(index, peer, SettingKeys.PeerSubnet, "the peer's pod subnet, for example 10.5.2.0/24");
        if (!IsText(value) || !AddressText.TryParseNetwork(value.Text, out IPNetwork subnet, out bool hasHostBits))
            throw Unexpected(index, peer, SettingKeys.PeerSubnet, value, "a subnet in the form address/length, for example 10.5.2.0/24");
        if (hasHostBits)
            throw Refused(index, peer, SettingKeys.PeerSubnet, value, $"{value} has bits set behind the prefix; expected {subnet}");
        if (!config.Networks.Any(n => AddressRules.IsInside(subnet, n)))
            throw Unexpected(index, peer, SettingKeys.PeerSubnet, value, $"a part of {string.Join(" or ", config.Networks)}, which is all that is routed into the tunnel");
        foreach (IPNetwork own in config.Subnets)
        {
            if (AddressRules.Overlap(subnet, own))
                throw Unexpected(index, peer, SettingKeys.PeerSubnet, value, $"a subnet that does not overlap this host's {own}");
        }
        return subnet;
    }

    private IPAddress PublicIP(int index, PeerSettings peer)
    {
        SettingValue value = peer.PublicIP;
        if (!value.IsSet) throw Missing(index, peer, SettingKeys.PeerPublicIP, "the peer's underlay address, for example 192.0.2.2");
        if (!IsText(value) || !AddressText.TryParse(value.Text, out IPAddress? address) || !AddressRules.IsUnicast(address))
            throw Unexpected(index, peer, SettingKeys.PeerPublicIP, value, "a unicast underlay address, for example 192.0.2.2");
        IPAddress local = config.Engine.Local;
        if (address.AddressFamily != local.AddressFamily)
            throw Unexpected(index, peer, SettingKeys.PeerPublicIP, value, $"an {AddressRules.FamilyName(local)} address like this host's {local}");
        if (address.Equals(local))
            throw Unexpected(index, peer, SettingKeys.PeerPublicIP, value, "another host's address than our own");
        return address;
    }

    private MacAddress Mac(int index, PeerSettings peer, IPAddress host)
    {
        SettingValue value = peer.VtepMac;
        if (!_vxlan)
        {
            if (value.IsSet) throw Refused(index, peer, SettingKeys.PeerVtepMac, value, "expected no VtepMAC with the udp encapsulation");
            return default;
        }
        if (!value.IsSet)
            throw Missing(index, peer, SettingKeys.PeerVtepMac, $"the peer's VtepMAC; {VtepMac.Derive(host)} if it runs FlannelFast at {host} without a MAC of its own choice");
        if (!IsText(value) || !MacAddress.TryParse(value.Text, out MacAddress mac) || mac.IsZero || mac.IsMulticast)
            throw Unexpected(index, peer, SettingKeys.PeerVtepMac, value, $"a unicast Ethernet address, for example {VtepMac.Derive(host)}");
        if (mac == config.Engine.Mac)
            throw Unexpected(index, peer, SettingKeys.PeerVtepMac, value, "another VtepMAC than our own");
        return mac;
    }

    private static bool IsText(SettingValue value) => value.Kind is SettingKind.Flag or SettingKind.String;

    private InvalidInputException Missing(int index, PeerSettings peer, string part, string expected) =>
        new($"{origin.DescribePeer(index, peer, part, default)}: {part} is missing: expected {expected}");

    private InvalidInputException Unexpected(int index, PeerSettings peer, string part, SettingValue value, string expected) =>
        new($"{origin.DescribePeer(index, peer, part, value)}: expected {expected}, not {value}");

    private InvalidInputException Refused(int index, PeerSettings peer, string part, SettingValue value, string sentence) =>
        new($"{origin.DescribePeer(index, peer, part, value)}: {sentence}");
}
