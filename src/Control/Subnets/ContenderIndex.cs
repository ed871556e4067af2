using System.Net;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets;

/// <summary>Finds whose subnets overlap, and what else one host has. Cost does not grow with the number of leases as long as their subnets have one length.</summary>
internal sealed class ContenderIndex
{
    private readonly Dictionary<Prefix, List<Contender>> _subnets = [];
    private readonly Dictionary<IPAddress, List<Contender>> _addresses = [];
    // How many subnets there are of each length; IPv6 lengths stand behind the 33 of IPv4.
    private readonly int[] _lengths = new int[33 + 129];

    internal void Add(Contender contender)
    {
        foreach (Prefix subnet in contender.Subnets)
        {
            Add(_subnets, subnet, contender);
            _lengths[Slot(subnet.IsIpv6, subnet.Length)]++;
        }
        foreach (IPAddress address in contender.Addresses) Add(_addresses, address, contender);
    }

    internal void Remove(Contender contender)
    {
        foreach (Prefix subnet in contender.Subnets)
        {
            Remove(_subnets, subnet, contender);
            _lengths[Slot(subnet.IsIpv6, subnet.Length)]--;
        }
        foreach (IPAddress address in contender.Addresses) Remove(_addresses, address, contender);
    }

    internal void Clear()
    {
        _subnets.Clear();
        _addresses.Clear();
        Array.Clear(_lengths);
    }

    /// <summary>The others that have the same address of one family.</summary>
    internal IEnumerable<Contender> Siblings(Contender contender, bool isIpv6)
    {
        if (contender.Address(isIpv6) is not { } address) yield break;
        foreach (Contender sibling in _addresses.GetValueOrDefault(address, []))
            if (sibling != contender) yield return sibling;
    }

    /// <summary>All whose subnets overlap those of one, perhaps some of them twice; never itself.</summary>
    internal IEnumerable<Contender> Rivals(Contender contender)
    {
        foreach (Prefix subnet in contender.Subnets)
            foreach (Contender rival in Around(subnet))
                if (rival != contender) yield return rival;
    }

    private IEnumerable<Contender> Around(Prefix subnet)
    {
        bool longerExist = false;
        for (int length = 1; length <= subnet.Bits; length++)
        {
            if (_lengths[Slot(subnet.IsIpv6, length)] == 0) continue;
            longerExist = length > subnet.Length;
            if (longerExist) break;
            var around = new Prefix(subnet.IsIpv6, 0, length);
            foreach (Contender rival in _subnets.GetValueOrDefault(around with { First = subnet.First & around.Mask }, [])) yield return rival;
        }
        if (!longerExist) yield break;
        // Subnets of several lengths are a network whose SubnetLen was changed, or mischief: rare enough to look at each.
        foreach ((Prefix other, List<Contender> rivals) in _subnets)
        {
            if (other.Length <= subnet.Length || !other.Overlaps(subnet)) continue;
            foreach (Contender rival in rivals) yield return rival;
        }
    }

    private static void Add<TKey>(Dictionary<TKey, List<Contender>> index, TKey key, Contender contender) where TKey : notnull
    {
        if (index.TryGetValue(key, out List<Contender>? present)) present.Add(contender);
        else index.Add(key, [contender]);
    }

    private static void Remove<TKey>(Dictionary<TKey, List<Contender>> index, TKey key, Contender contender) where TKey : notnull
    {
        List<Contender> present = index[key];
        present.Remove(contender);
        if (present.Count == 0) index.Remove(key);
    }

    private static int Slot(bool isIpv6, int length) => isIpv6 ? 33 + length : length;
}
