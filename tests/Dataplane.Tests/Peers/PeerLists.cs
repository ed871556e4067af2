using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

/// <summary>Lists of peers for tests and benchmarks, each fully determined by its arguments.</summary>
internal static class PeerLists
{
    /// <summary>flannel's usual case: neighbouring subnets of one length, one host each, from 10.0.0.0 on.</summary>
    internal static List<Peer> Dense(int count, int length = 24)
    {
        var peers = new List<Peer>(count);
        for (uint i = 0; i < count; i++)
            peers.Add(new(Subnet(false, 0x0A000000 + (i << 32 - length), length), Host(i), new(0x0E2A_0000_0000UL + i)));
        return peers;
    }

    /// <summary>The same with every 16th subnet twice as large, so that no index array fits.</summary>
    internal static List<Peer> DenseOfTwoLengths(int count)
    {
        var peers = new List<Peer>(count);
        for (uint i = 0; i < count; i++)
        {
            bool large = i % 16 == 0;
            peers.Add(new(Subnet(false, 0x0A000000 + (i << 9), large ? 23 : 24), Host(i), new(0x0E2A_0000_0000UL + i)));
        }
        return peers;
    }

    /// <summary>One /64 for each host, from fd00:10:: on.</summary>
    internal static List<Peer> DenseIpv6(int count)
    {
        UInt128 first = SlowLookup.Number(IPAddress.Parse("fd00:10::"));
        var peers = new List<Peer>(count);
        for (uint i = 0; i < count; i++) peers.Add(new(Subnet(true, first + ((UInt128)i << 64), 64), Host(i)));
        return peers;
    }

    /// <summary>Distinct random subnets, lengths spread evenly over the range as far as there are so many of a length; hosts repeat.</summary>
    internal static List<Peer> Random(bool ipv6, int count, int minLength, int maxLength, Random random)
    {
        int bits = ipv6 ? 128 : 32;
        var subnets = new HashSet<IPNetwork>();
        var peers = new List<Peer>(count);
        while (peers.Count < count)
        {
            int length = random.Next(minLength, maxLength + 1);
            // Every other one inside an earlier one: random addresses alone would hardly ever nest deeply.
            UInt128 address = peers.Count > 0 && random.Next(2) == 0
                ? SlowLookup.Number(peers[random.Next(peers.Count)].Subnet.BaseAddress) ^ Any(random) >> 128 - bits + random.Next(bits)
                : Any(random) >> 128 - bits;
            UInt128 first = address >> bits - length << bits - length;
            IPNetwork subnet = Subnet(ipv6, first, length);
            if (subnets.Add(subnet)) peers.Add(new(subnet, Host((uint)random.Next(count)), new((ulong)random.NextInt64(1L << 40))));
        }
        return peers;
    }

    /// <summary>A host on the underlay 172.16.0.0/12.</summary>
    internal static IPAddress Host(uint number) => SlowLookup.Address(false, 0xAC100000 + number);

    internal static IPNetwork Subnet(bool ipv6, UInt128 first, int length) => new(SlowLookup.Address(ipv6, first), length);

    internal static UInt128 Any(Random random) => new((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue));
}
