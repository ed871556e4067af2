using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

public sealed class PeerTableLookupTests
{
    private static readonly long s_lookups = LookupComparison.IsLong ? 100_000_000 : 10_000_000;

    private static PeerTable Build(IReadOnlyList<Peer> peers) => PeerTable.Build([], peers, null, 1);

    [Theory]
    [InlineData(false, 1, 32)]
    [InlineData(true, 1, 128)]
    public void Ten_thousand_routes_of_every_length_match_the_slow_lookup(bool ipv6, int minLength, int maxLength)
    {
        List<Peer> peers = PeerLists.Random(ipv6, 10_000, minLength, maxLength, new(20260707));
        for (int length = minLength; length <= maxLength; length++) Assert.Contains(peers, p => p.Subnet.PrefixLength == length);
        PeerTable table = Build(peers);
        SlowLookup.Run[] runs = new SlowLookup(table.Peers).Runs(ipv6);
        LookupComparison.CheckBoundaries(table, runs, ipv6);
        // 128 lengths mean up to 128 probes a lookup: a twentieth of the number, in the time of the IPv4 run.
        LookupComparison.CheckRandom(table, runs, ipv6, ipv6 ? s_lookups / 20 : s_lookups, 1);
    }

    [Theory]
    [InlineData(false, 24, 24, 2_000)] // Random /24s span too much for the index array: the trie with one length.
    [InlineData(false, 8, 8, 100)]
    [InlineData(false, 1, 1, 2)]
    [InlineData(false, 16, 24, 3_000)]
    [InlineData(false, 32, 32, 3_000)]
    [InlineData(false, 25, 32, 3_000)]
    [InlineData(true, 64, 64, 3_000)]
    [InlineData(true, 128, 128, 3_000)]
    [InlineData(true, 48, 80, 3_000)]
    public void Random_routes_match_the_slow_lookup(bool ipv6, int minLength, int maxLength, int count)
    {
        PeerTable table = Build(PeerLists.Random(ipv6, count, minLength, maxLength, new(count + minLength)));
        SlowLookup.Run[] runs = new SlowLookup(table.Peers).Runs(ipv6);
        LookupComparison.CheckBoundaries(table, runs, ipv6);
        LookupComparison.CheckRandom(table, runs, ipv6, s_lookups / 20, 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4_000)]
    public void Neighbouring_subnets_match_the_slow_lookup(int count)
    {
        foreach (int length in new[] { 20, 24, 30, 32 })
        {
            List<Peer> peers = PeerLists.Dense(count, length);
            peers.RemoveAll(p => ((uint)SlowLookup.Number(p.Subnet.BaseAddress) >> 32 - length) % 8 == 3);
            PeerTable table = Build(peers);
            SlowLookup.Run[] runs = new SlowLookup(table.Peers).Runs(false);
            LookupComparison.CheckBoundaries(table, runs, false);
            LookupComparison.CheckRandom(table, runs, false, s_lookups / 20, 3);
        }
    }

    /// <summary>Small tables against the runtime's own IPNetwork.Contains: a second opinion on the slow lookup itself.</summary>
    [Fact]
    public void Small_tables_match_the_runtimes_idea_of_containment()
    {
        var random = new Random(7);
        for (int round = 0; round < 300; round++)
        {
            bool ipv6 = round % 2 == 1;
            int bits = ipv6 ? 128 : 32;
            PeerTable table = Build(PeerLists.Random(ipv6, random.Next(1, 20), 1 + round % bits, bits, random));
            for (int i = 0; i < 200; i++)
            {
                UInt128 near = SlowLookup.Number(table.Peers[random.Next(table.Peers.Count)].Subnet.BaseAddress);
                UInt128 address = near ^ PeerLists.Any(random) >> 128 - bits + random.Next(bits);
                IPAddress text = SlowLookup.Address(ipv6, address);
                int expected = -1;
                for (int p = 0; p < table.Peers.Count; p++)
                {
                    if (table.Peers[p].Subnet.Contains(text) && (expected < 0 || table.Peers[p].Subnet.PrefixLength > table.Peers[expected].Subnet.PrefixLength))
                        expected = p;
                }
                Assert.Equal(expected, LookupComparison.Find(table, ipv6, address));
            }
        }
    }

    [Fact]
    public void The_longest_prefix_wins_whatever_the_order()
    {
        Peer[] peers =
        [
            new(IPNetwork.Parse("10.5.0.0/16"), IPAddress.Parse("192.0.2.1")),
            new(IPNetwork.Parse("10.5.2.0/24"), IPAddress.Parse("192.0.2.2")),
            new(IPNetwork.Parse("10.5.2.128/25"), IPAddress.Parse("192.0.2.3")),
        ];
        foreach (Peer[] order in new[] { peers, [peers[2], peers[1], peers[0]], [peers[1], peers[2], peers[0]] })
        {
            PeerTable table = Build(order);
            Assert.Equal(peers[0], table.Peers[table.Find(0x0A050300)]);
            Assert.Equal(peers[1], table.Peers[table.Find(0x0A05027F)]);
            Assert.Equal(peers[2], table.Peers[table.Find(0x0A050280)]);
            Assert.Equal(-1, table.Find(0x0A060000));
        }
    }

    [Fact]
    public void An_empty_table_finds_nothing()
    {
        PeerTable table = Build([]);
        Assert.Equal(-1, table.Find(0U));
        Assert.Equal(-1, table.Find(uint.MaxValue));
        Assert.Equal(-1, table.Find(UInt128.Zero));
        Assert.Equal(-1, table.Find(UInt128.MaxValue));
        Assert.Equal(-1, table.FindEndpoint(0U));
        Assert.Equal(-1, table.FindEndpoint(UInt128.Zero));
        Assert.False(table.IsLocal(0U));
        Assert.False(table.IsLocal(UInt128.Zero));
        Assert.Equal(0, table.EndpointCount);
        Assert.Empty(table.ReadStatus());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Endpoints_match_the_slow_lookup(bool ipv6Underlay)
    {
        var random = new Random(11);
        List<Peer> peers = PeerLists.Random(false, 3_000, 16, 28, random);
        if (ipv6Underlay)
            peers = peers.ConvertAll(p => p with { PublicIP = SlowLookup.Address(true, SlowLookup.Number(p.PublicIP) + (UInt128.One << 125)) });
        PeerTable table = Build(peers);
        var slow = new SlowLookup(table.Peers);
        Assert.Equal(slow.Endpoints.Count, table.EndpointCount);
        Assert.True(table.EndpointCount < peers.Count, "some hosts have several subnets");
        for (int i = 0; i < peers.Count; i++)
        {
            ref readonly PeerEntry entry = ref table.Entry(i);
            UInt128 address = SlowLookup.Number(peers[i].PublicIP);
            Assert.Equal(ipv6Underlay ? address : 0, entry.Ipv6);
            Assert.Equal(ipv6Underlay ? 0 : (uint)address, entry.Ipv4);
            Assert.Equal(slow.FindEndpoint(peers[i].PublicIP), table.EndpointOf(i));
            Assert.Equal(table.EndpointOf(i), entry.EndpointIndex);
            foreach (UInt128 near in new[] { address, address - 1, address + 1, address ^ 0x8000 })
            {
                int found = ipv6Underlay ? table.FindEndpoint(near) : table.FindEndpoint((uint)near);
                Assert.Equal(slow.FindEndpoint(SlowLookup.Address(ipv6Underlay, near)), found);
            }
            Assert.Equal(-1, ipv6Underlay ? table.FindEndpoint((uint)address) : table.FindEndpoint(address));
        }
    }

    [Fact]
    public void The_mac_of_an_entry_is_ready_for_a_little_endian_store()
    {
        Assert.True(MacAddress.TryParse("0e:2a:c1:02:03:f4", out MacAddress mac));
        PeerTable table = Build([new(IPNetwork.Parse("10.5.2.0/24"), IPAddress.Parse("192.0.2.2"), mac)]);
        byte[] expected = new byte[8];
        mac.Write(expected);
        Assert.Equal(expected, BitConverter.GetBytes(table.Entry(0).Mac));
    }

    [Theory]
    [InlineData("10.5.1.0/24")]
    [InlineData("10.5.1.77/32")]
    [InlineData("128.0.0.0/1")]
    [InlineData("0.0.0.0/1")]
    [InlineData("fd00:10:5:1::/64")]
    [InlineData("fd00:10:5:1:8000::/65")]
    [InlineData("fd00:10::1/128")]
    [InlineData("8000::/1")]
    public void Our_own_subnet_is_local_and_nothing_else(string subnet)
    {
        IPNetwork own = IPNetwork.Parse(subnet);
        bool ipv6 = SlowLookup.IsIpv6(own.BaseAddress);
        PeerTable table = PeerTable.Build([own], [], null, 1);
        var random = new Random(5);
        int inside = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int bits = ipv6 ? 128 : 32;
            UInt128 address = SlowLookup.Number(own.BaseAddress) ^ PeerLists.Any(random) >> 128 - bits + random.Next(bits);
            if (i == 0) address = SlowLookup.Number(own.BaseAddress);
            bool expected = own.Contains(SlowLookup.Address(ipv6, address));
            inside += expected ? 1 : 0;
            Assert.Equal(expected, ipv6 ? table.IsLocal(address) : table.IsLocal((uint)address));
            Assert.False(ipv6 ? table.IsLocal((uint)address) : table.IsLocal(address), "the other family has no local subnet");
        }
        Assert.InRange(inside, 1, 19_999);
    }
}
