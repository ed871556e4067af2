using System.Net;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets;

/// <summary>What differs between the two families in the fields, limits and messages of the network config.</summary>
/// <param name="IsIpv6">The family.</param>
/// <param name="FieldPrefix">Before "Network", "SubnetLen", "SubnetMin" and "SubnetMax" in the names of fields.</param>
/// <param name="NetworkWord">The network in stock's sentence about its size.</param>
/// <param name="LongestSubnet">The longest prefix of a host's subnet: a tunnel and a bridge need an address each.</param>
/// <param name="UsualSubnet">The prefix length where the config says none and the network has room for four of them.</param>
internal sealed record FamilyText(bool IsIpv6, string FieldPrefix, string NetworkWord, int LongestSubnet, int UsualSubnet)
{
    internal static FamilyText Ipv4 { get; } = new(false, "", "network", 30, 24);

    internal static FamilyText Ipv6 { get; } = new(true, "IPv6", "IPv6Network", 126, 64);

    /// <summary>Checks and completes one family (pkg/subnet/config.go, CheckNetworkConfig).</summary>
    /// <param name="network">As given, without host bits; null or all of the address space where it is missing.</param>
    /// <param name="length">SubnetLen; 0 where it is missing.</param>
    /// <param name="min">SubnetMin; null or the zero address where it is missing.</param>
    /// <param name="max">SubnetMax; likewise.</param>
    /// <exception cref="NetworkConfigException">The first rule that is broken.</exception>
    internal FamilyConfig Complete(IPNetwork? network, ulong length, IPAddress? min, IPAddress? max)
    {
        if (network is not { } given || Prefix.From(given) is { Length: 0, First: var first } && first == 0)
            throw new NetworkConfigException($"please define a correct {FieldPrefix}Network parameter in the flannel config");
        Prefix whole = Prefix.From(given);
        int subnetLength = SubnetLength(whole, length);
        Prefix last = new(IsIpv6, whole.Last, subnetLength);
        UInt128 size = ~last.Mask & (IsIpv6 ? UInt128.MaxValue : uint.MaxValue);
        // The first subnet is left out: its addresses would include the network address of the whole.
        Prefix minimum = Bound("Min", min, whole, subnetLength, whole.First + size + 1);
        Prefix maximum = Bound("Max", max, whole, subnetLength, whole.Last - size);
        // Stock takes it, says "out of subnets" and deletes the leases of hosts that restart.
        if (minimum.First > maximum.First)
            throw new NetworkConfigException($"{FieldPrefix}SubnetMin {minimum.ToNetwork().BaseAddress} is behind {FieldPrefix}SubnetMax {maximum.ToNetwork().BaseAddress}");
        return new(given, subnetLength, minimum.ToNetwork().BaseAddress, maximum.ToNetwork().BaseAddress);
    }

    private int SubnetLength(Prefix network, ulong given)
    {
        if (given == 0)
        {
            // Four subnets must fit into the network, the first of which stays unused.
            if (network.Length > LongestSubnet - 2)
                throw new NetworkConfigException($"{NetworkWord} is too small. Minimum useful network prefix is /{LongestSubnet - 2}");
            return Math.Max(UsualSubnet, network.Length + 2);
        }
        if (given > (ulong)LongestSubnet) throw new NetworkConfigException($"SubnetLen must be less than /{LongestSubnet + 1}");
        if (given < (ulong)(network.Length + 2)) throw new NetworkConfigException("network must be able to accommodate at least four subnets");
        return (int)given;
    }

    private Prefix Bound(string which, IPAddress? given, Prefix network, int subnetLength, UInt128 otherwise)
    {
        UInt128 first = given is null ? 0 : Prefix.ToNumber(given);
        var bound = new Prefix(IsIpv6, first == 0 ? otherwise : first, subnetLength);
        if (!bound.Overlaps(network)) throw new NetworkConfigException($"{FieldPrefix}Subnet{which} is not in the range of the {FieldPrefix}Network");
        if ((bound.First & ~bound.Mask) != 0) throw new NetworkConfigException($"{FieldPrefix}Subnet{which} is not on a SubnetLen boundary: {given}");
        return bound;
    }
}
