using System.Net;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets;

/// <summary>Finds free subnets.</summary>
internal static class SubnetAllocator
{
    /// <summary>
    /// The first free subnets from SubnetMin to SubnetMax. The work depends on how many are taken, not on how large the network is: a
    /// network of 2^100 subnets and a claim on half of it are one step.
    /// </summary>
    /// <param name="family">Where to look.</param>
    /// <param name="taken">What may not be touched, of either family and any size.</param>
    /// <param name="limit">How many are enough.</param>
    internal static List<IPNetwork> FindFree(FamilyConfig family, IEnumerable<Prefix> taken, int limit)
    {
        Prefix first = Prefix.From(new(family.SubnetMin, family.SubnetLength));
        UInt128 max = Prefix.ToNumber(family.SubnetMax), size = first.Last - first.First + 1;
        var obstacles = new List<Prefix>();
        foreach (Prefix prefix in taken)
            if (prefix.IsIpv6 == first.IsIpv6) obstacles.Add(prefix);
        obstacles.Sort((a, b) => a.First.CompareTo(b.First));

        var free = new List<IPNetwork>();
        int next = 0;
        Prefix candidate = first;
        while (candidate.First <= max && free.Count < limit)
        {
            while (next < obstacles.Count && obstacles[next].Last < candidate.First) next++;
            UInt128 last = candidate.Last;
            if (next < obstacles.Count && obstacles[next].Overlaps(candidate)) last = UInt128.Max(last, obstacles[next].Last);
            else free.Add(candidate.ToNetwork());
            // Also the guard against running over the end of the address space.
            if (last >= max) break;
            candidate = candidate with { First = (last + 1 + (size - 1)) & candidate.Mask };
        }
        return free;
    }
}
