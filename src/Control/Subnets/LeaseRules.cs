using System.Net;
using System.Text.Json;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Subnets;

/// <summary>What a lease must keep to by itself, whatever others say: anybody who may write to the store can write anything.</summary>
internal static class LeaseRules
{
    /// <summary>The backend whose leases name a MAC address.</summary>
    private const string Vxlan = "vxlan";

    /// <summary>The first rule that a lease breaks, as the end of a sentence about its key; null if it can be used.</summary>
    internal static string? FindFault(Lease lease, NetworkConfig network)
    {
        string? fault = FindFault(lease.Subnet, network);
        if (fault is not null) return fault;
        LeaseAttributes attributes = lease.Attributes;
        if (attributes.PublicIP is null && attributes.PublicIPv6 is null) return "has no PublicIP";
        return FindFault(attributes.PublicIP, lease.Subnet) ?? FindFault(attributes.PublicIPv6, lease.Subnet)
            ?? FindMacFault(attributes, isIpv6: false) ?? FindMacFault(attributes, isIpv6: true);
    }

    /// <summary>The same for a subnet alone.</summary>
    internal static string? FindFault(LeasedSubnet subnet, NetworkConfig network)
    {
        if (Outside(subnet.Ipv4, network.Ipv4) is { } v4) return v4;
        if (Outside(subnet.Ipv6, network.Ipv6) is { } v6) return v6;
        bool shared = (subnet.Ipv4 is not null && network.Ipv4 is not null) || (subnet.Ipv6 is not null && network.Ipv6 is not null);
        return shared ? null : "is of a family that the network has not";
    }

    /// <summary>True if a host that asks for a subnet today would be given this one: its families, length and place are those of the config.</summary>
    internal static bool Fits(LeasedSubnet subnet, NetworkConfig network) => Fits(subnet.Ipv4, network.Ipv4) && Fits(subnet.Ipv6, network.Ipv6);

    /// <summary>The VtepMAC that a vxlan lease publishes for one family; false where it publishes none.</summary>
    internal static bool TryGetVtepMac(LeaseAttributes attributes, bool isIpv6, out MacAddress mac)
    {
        mac = default;
        if (!attributes.BackendType.Equals(Vxlan, StringComparison.OrdinalIgnoreCase)) return false;
        JsonElement data = isIpv6 ? attributes.BackendV6Data : attributes.BackendData;
        return GoJson.TryGetString(GoJson.Find(data, "VtepMAC"), out string? text) && MacAddress.TryParse(text, out mac);
    }

    // A family that the network has not (any more) is left alone: the other part of the lease is as good as before.
    private static string? Outside(IPNetwork? subnet, FamilyConfig? family) =>
        subnet is { } given && family is not null && !AddressRules.IsInside(given, family.Network) ? $"is outside the network {family.Network}" : null;

    private static bool Fits(IPNetwork? subnet, FamilyConfig? family)
    {
        if (subnet is not { } given || family is null) return subnet is null && family is null;
        UInt128 first = Dataplane.Peers.Prefix.ToNumber(given.BaseAddress);
        return given.PrefixLength == family.SubnetLength && AddressRules.IsInside(given, family.Network)
            && first >= Dataplane.Peers.Prefix.ToNumber(family.SubnetMin) && first <= Dataplane.Peers.Prefix.ToNumber(family.SubnetMax);
    }

    private static string? FindFault(IPAddress? address, LeasedSubnet subnet)
    {
        if (address is null) return null;
        if (!AddressRules.IsUnicast(address)) return $"has the PublicIP {address}, at which no host can be";
        return subnet.Ipv4?.Contains(address) == true || subnet.Ipv6?.Contains(address) == true
            ? $"has the PublicIP {address}, which lies inside its own subnet" : null;
    }

    private static string? FindMacFault(LeaseAttributes attributes, bool isIpv6) =>
        TryGetVtepMac(attributes, isIpv6, out MacAddress mac) && (mac.IsZero || mac.IsMulticast) ? $"has the VtepMAC {mac}, which no host can have" : null;
}
