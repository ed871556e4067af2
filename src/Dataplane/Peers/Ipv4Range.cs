namespace FlannelFast.Dataplane.Peers;

/// <summary>A run of IPv4 addresses with one answer. It ends where the next one starts.</summary>
/// <param name="First">The first address, host order.</param>
/// <param name="PeerPlusOne">The peer's index + 1, or 0 where no peer is.</param>
internal readonly record struct Ipv4Range(uint First, int PeerPlusOne)
{
    /// <summary>
    /// Longest-prefix match over nested routes, resolved once: runs in ascending order from 0.0.0.0 on, neighbours differ,
    /// at most 2 n + 1 of them.
    /// </summary>
    internal static List<Ipv4Range> Flatten(ReadOnlySpan<Ipv4Route> routes)
    {
        // Address, then length: a subnet comes after all that contain it, so a stack holds the ones open at any address.
        var order = new ulong[routes.Length];
        var sorted = routes.ToArray();
        for (int i = 0; i < order.Length; i++) order[i] = (ulong)sorted[i].First << 6 | (uint)sorted[i].Length;
        Array.Sort(order, sorted);

        var ranges = new List<Ipv4Range>(2 * sorted.Length + 1) { new(0, 0) };
        var open = new Stack<Ipv4Route>();
        foreach (Ipv4Route route in sorted)
        {
            CloseBefore(route.First, open, ranges);
            Append(ranges, new(route.First, route.Peer + 1));
            open.Push(route);
        }
        CloseBefore(1UL << 32, open, ranges);
        return ranges;
    }

    private static void CloseBefore(ulong address, Stack<Ipv4Route> open, List<Ipv4Range> ranges)
    {
        while (open.TryPeek(out Ipv4Route route) && route.Last < address)
        {
            open.Pop();
            if (route.Last == uint.MaxValue) continue;
            Append(ranges, new(route.Last + 1, open.TryPeek(out Ipv4Route outer) ? outer.Peer + 1 : 0));
        }
    }

    /// <summary>
    /// Neighbours differ without being compared: a run starts where a subnet begins, which the address before is not in, or where
    /// the innermost one of the address before has ended.
    /// </summary>
    private static void Append(List<Ipv4Range> ranges, Ipv4Range range)
    {
        // Nothing is left of a run that starts at the same address: what comes later here is what holds from there on.
        if (ranges[^1].First == range.First) ranges[^1] = range;
        else ranges.Add(range);
    }
}
