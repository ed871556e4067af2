using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

public sealed class AddressMapTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1_000)]
    [InlineData(131_072)] // Exactly half of a power of two: the highest load.
    public void Every_key_is_found_and_no_other(int count)
    {
        var keys = new Ipv4Key[count];
        var values = new int[count];
        for (int i = 0; i < count; i++) (keys[i], values[i]) = (new(0x0A000000 + 3 * (uint)i), i);
        AddressMap<Ipv4Key> map = AddressMap<Ipv4Key>.Build(keys, values);
        Assert.True(map.Capacity >= 2 * count, "at most half full");
        Assert.InRange(map.Probes, Math.Min(count, 1), AddressMap<Ipv4Key>.MaxProbes);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(i, map.Find(keys[i]));
            Assert.Equal(-1, map.Find(new(0x0A000000 + 3 * (uint)i + 1)));
        }
        Assert.Equal(-1, map.Find(new(0)));
    }

    [Fact]
    public void Zero_and_all_ones_are_ordinary_keys()
    {
        AddressMap<Ipv4Key> map4 = AddressMap<Ipv4Key>.Build([new(0), new(uint.MaxValue)], [0, 1]);
        Assert.Equal([0, 1, -1], [map4.Find(new(0)), map4.Find(new(uint.MaxValue)), map4.Find(new(1))]);
        AddressMap<Ipv6Key> map6 = AddressMap<Ipv6Key>.Build([new(0), new(UInt128.MaxValue)], [0, 1]);
        Assert.Equal([0, 1, -1], [map6.Find(new(0)), map6.Find(new(UInt128.MaxValue)), map6.Find(new(1))]);
    }

    /// <summary>A bound no seed can keep at the usual size: later seeds and larger tables must do, with the same answers.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_tight_bound_is_kept_by_other_seeds_and_larger_tables(int maxProbes)
    {
        const int Count = 300;
        var keys = new Ipv6Key[Count];
        var values = new int[Count];
        var random = new Random(1);
        for (int i = 0; i < Count; i++) (keys[i], values[i]) = (new(PeerLists.Any(random)), i);
        AddressMap<Ipv6Key> map = AddressMap<Ipv6Key>.Build(keys, values, 1, maxProbes);
        Assert.True(map.Capacity > 1024, "the bound forced it to grow");
        Assert.Equal(maxProbes, map.Probes);
        for (int i = 0; i < Count; i++) Assert.Equal(i, map.Find(keys[i]));
        for (int i = 0; i < 10_000; i++) Assert.Equal(-1, map.Find(new(PeerLists.Any(random))));
    }

    /// <summary>Addresses as clusters have them: neighbours, strides, only high bits, only low bits, both.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(64)]
    [InlineData(80)]
    public void Regular_addresses_spread_at_the_first_size(int shift)
    {
        const int Count = 50_000;
        var keys = new Ipv6Key[Count];
        var values = new int[Count];
        for (int seed = 0; seed < 4; seed++)
        {
            for (int i = 0; i < Count; i++) (keys[i], values[i]) = (new(((UInt128)0xFD00 << 112) + ((UInt128)(uint)i << shift)), i);
            AddressMap<Ipv6Key> map = AddressMap<Ipv6Key>.Build(keys, values, (ulong)seed * 1_000, AddressMap<Ipv6Key>.MaxProbes);
            Assert.Equal(1 << 17, map.Capacity);
            for (int i = 0; i < Count; i++) Assert.Equal(i, map.Find(keys[i]));
        }
    }
}
