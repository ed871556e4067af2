using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// The table "subnet → PublicIP" as one immutable snapshot. Published to the workers with one reference write; they read it
/// without locks, allocation or waiting, and may keep an old snapshot as long as they like. Lookup costs the same for one peer
/// and for 100,000. Addresses are numbers in host order throughout.
/// </summary>
/// <remarks>A peer is named by its position in <see cref="Peers"/>, an endpoint (one PublicIP) by a dense index of its own; both hold
/// within one snapshot only.</remarks>
public sealed partial class PeerTable
{
    private readonly PeerEntry[] _entries;
    private readonly Ipv4SubnetIndex _index4;
    private readonly Ipv4Trie? _trie4;
    private readonly Ipv6Routes _routes6;
    private readonly AddressMap<Ipv4Key> _endpoints4;
    private readonly AddressMap<Ipv6Key> _endpoints6;
    private readonly LocalSubnets _local;
    private readonly EndpointCounters _counters;

    /// <summary>The peers, in the order they were given, with IPv4-mapped addresses written as IPv4.</summary>
    public IReadOnlyList<Peer> Peers { get; }

    /// <summary>How many different PublicIPs there are.</summary>
    public int EndpointCount { get; }

    /// <summary>How many workers have counters here.</summary>
    public int Workers => _counters.Pool.Workers;

    /// <summary>Where the counters of this table and its relatives live.</summary>
    internal CounterPool CounterPool => _counters.Pool;

    /// <summary>The peer whose subnet contains an inner IPv4 address, the longest prefix if several do; -1 if none does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(uint destination) => _trie4 is null ? _index4.Find(destination) : _trie4.Find(destination);

    /// <summary>The peer whose subnet contains an inner IPv6 address, the longest prefix if several do; -1 if none does.</summary>
    public int Find(UInt128 destination) => _routes6.Find(destination);

    /// <summary>The endpoint with an outer IPv4 address; -1 if no peer has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindEndpoint(uint ipv4) => _endpoints4.Find(new(ipv4));

    /// <summary>The endpoint with an outer IPv6 address; -1 if no peer has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindEndpoint(UInt128 ipv6) => _endpoints6.Find(new(ipv6));

    /// <summary>The endpoint a peer is reached at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int EndpointOf(int peer) => _entries[peer].EndpointIndex;

    /// <summary>What is needed to send to a peer. The reference is valid as long as the caller keeps it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly PeerEntry Entry(int peer) => ref _entries[peer];

    /// <summary>True when an inner IPv4 address lies in our own subnet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsLocal(uint ipv4) => _local.Contains(ipv4);

    /// <summary>True when an inner IPv6 address lies in our own subnet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsLocal(UInt128 ipv6) => _local.Contains(ipv6);

    /// <summary>
    /// The counters of one worker for one endpoint, to be written by that worker's thread alone. They are the same ones in every
    /// snapshot the endpoint is in without interruption. Use the reference only while holding on to this snapshot: after the last
    /// snapshot with the endpoint was collected, another endpoint gets the place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref PeerCounters Counters(int worker, int endpoint) => ref _counters.At(worker, endpoint);

    /// <summary>Packets sent to an endpoint, by all workers together.</summary>
    public long EgressPackets(int endpoint)
    {
        long sum = 0;
        for (int worker = 0; worker < Workers; worker++) sum += Volatile.Read(in Counters(worker, endpoint).EgressPackets);
        return sum;
    }

    /// <summary>Reads all peers and the counters of their endpoints, summed over the workers while they run. Allocates; for the cold path.</summary>
    public IReadOnlyList<PeerStatus> ReadStatus()
    {
        var status = new PeerStatus[Peers.Count];
        for (int i = 0; i < status.Length; i++)
        {
            Peer peer = Peers[i];
            PeerCounters sum = _counters.Sum(EndpointOf(i));
            status[i] = new(peer.Subnet, peer.PublicIP, peer.VtepMac,
                sum.EgressPackets, sum.EgressBytes, sum.IngressPackets, sum.IngressBytes, sum.SendErrors);
        }
        return status;
    }
}
