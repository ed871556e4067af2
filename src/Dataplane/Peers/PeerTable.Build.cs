using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Dataplane.Peers;

public sealed partial class PeerTable
{
    /// <summary>The most workers an engine has.</summary>
    public const int MaxWorkers = 64;

    private PeerTable(
        Peer[] peers, PeerEntry[] entries, ReadOnlySpan<Prefix> subnets, ReadOnlySpan<UInt128> endpoints, bool ipv6Underlay,
        LocalSubnets local, EndpointCounters counters)
    {
        Peers = Array.AsReadOnly(peers);
        EndpointCount = endpoints.Length;
        _entries = entries;
        _local = local;
        _counters = counters;
        (_index4, _trie4, _routes6) = BuildRoutes(subnets);

        int[] indices = Enumerate(endpoints.Length);
        var keys4 = new Ipv4Key[ipv6Underlay ? 0 : endpoints.Length];
        for (int i = 0; i < keys4.Length; i++) keys4[i] = new((uint)endpoints[i]);
        var keys6 = new Ipv6Key[ipv6Underlay ? endpoints.Length : 0];
        for (int i = 0; i < keys6.Length; i++) keys6[i] = new(endpoints[i]);
        _endpoints4 = AddressMap<Ipv4Key>.Build(keys4, indices);
        _endpoints6 = AddressMap<Ipv6Key>.Build(keys6, indices);
    }

    /// <summary>Makes a snapshot. All or nothing: one peer that breaks a rule refuses the whole table.</summary>
    /// <param name="localSubnets">Our own subnets, at most one of each family.</param>
    /// <param name="peers">The peers. Subnets may nest (the longest prefix wins) but not repeat; several may share a PublicIP.</param>
    /// <param name="previous">The snapshot this one follows: endpoints in both keep their counters. Null for the first one.</param>
    /// <param name="workers">Worker threads with counters of their own, 1 to <see cref="MaxWorkers"/>; the same as in <paramref name="previous"/>.</param>
    /// <exception cref="ArgumentException">One line that names the peer and what was expected: subnet given twice, overlapping our own
    /// or of length 0; PublicIP unspecified, multicast, broadcast, link-local or not of the family of the others; VtepMAC multicast.</exception>
    public static PeerTable Build(IReadOnlyList<IPNetwork> localSubnets, IReadOnlyList<Peer> peers, PeerTable? previous, int workers)
    {
        ArgumentNullException.ThrowIfNull(localSubnets);
        ArgumentNullException.ThrowIfNull(peers);
        if (workers is < 1 or > MaxWorkers) throw new ArgumentException($"{workers} workers: 1 to {MaxWorkers} expected");
        if (previous is not null && previous.Workers != workers)
            throw new ArgumentException($"{workers} workers: {previous.Workers} expected, as in the table before");

        Prefix[] local = PeerRules.ReadLocal(localSubnets);
        Peer[] admitted = Admit(peers, local, out Prefix[] subnets);
        bool ipv6Underlay = admitted.Length > 0 && admitted[0].PublicIP.AddressFamily == AddressFamily.InterNetworkV6;
        PeerEntry[] entries = NumberEndpoints(admitted, ipv6Underlay, out List<UInt128> endpoints);

        var slots = new int[endpoints.Count];
        for (int i = 0; i < slots.Length; i++)
        {
            int before = previous is null ? -1 : ipv6Underlay ? previous.FindEndpoint(endpoints[i]) : previous.FindEndpoint((uint)endpoints[i]);
            slots[i] = before < 0 ? -1 : previous!._counters.Slots[before];
        }
        CounterPool pool = previous?._counters.Pool ?? new(workers);
        PeerTable table = new(admitted, entries, subnets, endpoints.ToArray(), ipv6Underlay, new(local), pool.Assign(slots));
        // Until the new snapshot names the inherited slots, the old one is what keeps them from being given away.
        GC.KeepAlive(previous);
        return table;
    }

    /// <summary>
    /// Why a peer could not enter any table with these local subnets, in the words <see cref="Build"/> would use; null when it can.
    /// For those who leave out one bad entry instead of refusing all. What depends on the other peers (a subnet given twice,
    /// mixed families) is not looked at.
    /// </summary>
    /// <exception cref="ArgumentException">The local subnets break a rule.</exception>
    public static string? WhyRefused(IReadOnlyList<IPNetwork> localSubnets, Peer peer)
    {
        ArgumentNullException.ThrowIfNull(localSubnets);
        ArgumentNullException.ThrowIfNull(peer);
        Peer normal = PeerRules.Normalise(peer);
        return PeerRules.Refuse(normal, Prefix.From(normal.Subnet), PeerRules.ReadLocal(localSubnets)) is { } reason
            ? $"peer {PeerRules.Name(peer)}: {reason}"
            : null;
    }

    private static Peer[] Admit(IReadOnlyList<Peer> peers, ReadOnlySpan<Prefix> local, out Prefix[] subnets)
    {
        var admitted = new Peer[peers.Count];
        subnets = new Prefix[admitted.Length];
        var seen = new Dictionary<Prefix, int>(admitted.Length);
        for (int i = 0; i < admitted.Length; i++)
        {
            Peer given = peers[i] ?? throw new ArgumentException($"peer number {i + 1} of {peers.Count}: a peer expected, not null");
            Peer peer = admitted[i] = PeerRules.Normalise(given);
            subnets[i] = Prefix.From(peer.Subnet);
            string? reason = PeerRules.Refuse(peer, subnets[i], local);
            if (reason is null && peer.PublicIP.AddressFamily != admitted[0].PublicIP.AddressFamily)
                reason = $"a PublicIP of the same family as that of peer {PeerRules.Name(admitted[0])} expected";
            if (reason is null && !seen.TryAdd(subnets[i], i))
                reason = $"a subnet given once expected, and peer {PeerRules.Name(admitted[seen[subnets[i]]])} has it already";
            if (reason is not null) throw new ArgumentException($"peer {PeerRules.Name(given)}: {reason}");
        }
        return admitted;
    }

    private static PeerEntry[] NumberEndpoints(Peer[] peers, bool ipv6Underlay, out List<UInt128> endpoints)
    {
        var entries = new PeerEntry[peers.Length];
        endpoints = new(peers.Length);
        var numbers = new Dictionary<UInt128, int>(peers.Length);
        for (int i = 0; i < peers.Length; i++)
        {
            UInt128 address = Prefix.ToNumber(peers[i].PublicIP);
            if (!numbers.TryGetValue(address, out int endpoint))
            {
                numbers.Add(address, endpoint = endpoints.Count);
                endpoints.Add(address);
            }
            entries[i] = new(endpoint, peers[i].VtepMac.InMemory, address, ipv6Underlay);
        }
        return entries;
    }

    private static (Ipv4SubnetIndex Index, Ipv4Trie? Trie, Ipv6Routes Routes6) BuildRoutes(ReadOnlySpan<Prefix> subnets)
    {
        var routes4 = new List<Ipv4Route>(subnets.Length);
        List<Prefix> subnets6 = [];
        List<int> peers6 = [];
        for (int i = 0; i < subnets.Length; i++)
        {
            if (subnets[i].IsIpv6)
            {
                subnets6.Add(subnets[i]);
                peers6.Add(i);
            }
            else
            {
                routes4.Add(new((uint)subnets[i].First, subnets[i].Length, i));
            }
        }
        Ipv4Route[] all4 = routes4.ToArray();
        Ipv4Trie? trie = Ipv4SubnetIndex.TryBuild(all4, out Ipv4SubnetIndex index) ? null : Ipv4Trie.Build(all4);
        return (index, trie, Ipv6Routes.Build(subnets6.ToArray(), peers6.ToArray()));
    }

    private static int[] Enumerate(int count)
    {
        var numbers = new int[count];
        for (int i = 0; i < count; i++) numbers[i] = i;
        return numbers;
    }
}
