namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// IPv6 longest-prefix match: one hash map for each prefix length in use, longest first. flannel gives every host a subnet of
/// one length, so there is one; the cost grows with the number of lengths, never with the number of peers.
/// </summary>
internal sealed class Ipv6Routes
{
    private readonly Level[] _levels;

    private Ipv6Routes(Level[] levels) => _levels = levels;

    /// <summary>Makes the table from distinct IPv6 subnets; the index of each is the peer's at the same position.</summary>
    internal static Ipv6Routes Build(ReadOnlySpan<Prefix> subnets, ReadOnlySpan<int> peers)
    {
        var lengths = new SortedDictionary<int, (List<Ipv6Key> Keys, List<int> Peers)>();
        for (int i = 0; i < subnets.Length; i++)
        {
            if (!lengths.TryGetValue(subnets[i].Length, out var level))
                lengths.Add(subnets[i].Length, level = ([], []));
            level.Keys.Add(new(subnets[i].First));
            level.Peers.Add(peers[i]);
        }
        var levels = new Level[lengths.Count];
        int at = levels.Length;
        foreach (var (length, (keys, values)) in lengths)
            levels[--at] = new(new Prefix(true, 0, length).Mask, AddressMap<Ipv6Key>.Build(keys.ToArray(), values.ToArray()));
        return new(levels);
    }

    /// <summary>The peer with the longest prefix that contains a destination in host order, or -1.</summary>
    internal int Find(UInt128 destination)
    {
        foreach (ref readonly Level level in _levels.AsSpan())
        {
            int peer = level.Map.Find(new(destination & level.Mask));
            if (peer >= 0) return peer;
        }
        return -1;
    }

    private readonly struct Level(UInt128 mask, AddressMap<Ipv6Key> map)
    {
        internal readonly UInt128 Mask = mask;
        internal readonly AddressMap<Ipv6Key> Map = map;
    }
}
