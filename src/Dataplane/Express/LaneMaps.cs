using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// What the programs of a lane look up and count, in maps of the kernel: subnets with the endpoint behind each, counters of endpoints, totals. They outlive the programs,
/// so that counters go on when a lane moves. Owned by the lane; one thread at a time.
/// </summary>
internal sealed unsafe class LaneMaps : IDisposable
{
    /// <summary>
    /// Offsets in a subnet's entry: the endpoint's address in network order (0: this peer is the engine's), its slot, its VtepMAC, and whether packets are sent to it
    /// (16 bits, 0: by the engine).
    /// </summary>
    internal const int PeerAddress = 0, PeerSlot = 4, PeerMac = 8, PeerIsOpen = 14;

    /// <summary>Offsets in a total, and of the first two in each direction of an endpoint.</summary>
    internal const int Packets = 0, Bytes = 8, Failed = 16;

    /// <summary>Bytes of one direction in an endpoint's counters.</summary>
    internal const int EndpointDirectionSize = 16;

    /// <summary>Elements of the totals for one direction; a power of two.</summary>
    internal const int TotalsOfDirection = 64;

    /// <summary>Bytes of a flow: addresses and ports as they stand in the packet.</summary>
    internal const int FlowKeySize = 12;

    /// <summary>Of <see cref="PrefixLength"/>: peers have subnets of several sizes.</summary>
    internal const int Mixed = -1;

    // A cache line, so that processors do not disturb each other.
    private const int TotalSize = 64;
    private const int FirstCapacity = 1024;
    private const int MaxFlows = 4096;
    private const int MaxPeers = 1 << 22;

    /// <summary><see cref="PeerIsOpen"/>, in the bytes behind a MAC address.</summary>
    private const ulong OpenFlag = 1UL << 48;

    private readonly Dictionary<PrefixKey, PeerValue> _peers = [];
    private readonly Dictionary<uint, int> _slots = [];
    private readonly Stack<int> _freeSlots = new();
    private int _capacity = FirstCapacity, _peerCapacity = FirstCapacity;
    private int _usedSlots;

    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal LaneMaps()
    {
        var made = new Stack<NativeFd>();
        try
        {
            made.Push(Peers = CreatePeers(PrefixLength, _peerCapacity));
            made.Push(Totals = Bpf.CreateMap("ff_totals", Libc.BPF_MAP_TYPE_ARRAY, sizeof(int), TotalSize, 2 * TotalsOfDirection, 0));
            made.Push(Flows = Bpf.CreateMap("ff_flows", Libc.BPF_MAP_TYPE_LRU_HASH, FlowKeySize, sizeof(int), MaxFlows, 0));
            Endpoints = CreateEndpoints(_capacity);
        }
        catch
        {
            foreach (NativeFd map in made) map.Dispose();
            throw;
        }
    }

    /// <summary>Another map after <see cref="Apply"/> returned true.</summary>
    internal NativeFd Peers { get; private set; }

    /// <summary>
    /// Length of all peers' subnets, as flannel gives them, which are found by one look into a hash; or <see cref="Mixed"/>, and the longest prefix is found in a trie, which costs
    /// a packet more with every doubling of the peers.
    /// </summary>
    internal int PrefixLength { get; private set; } = 24;

    internal NativeFd Totals { get; }

    /// <summary>UDP flows with super-packets, the last <see cref="MaxFlows"/> of them; see <see cref="LaneCode.LeaveSuperFlows"/>.</summary>
    internal NativeFd Flows { get; }

    /// <summary>Another map after <see cref="Apply"/> returned true.</summary>
    internal NativeFd Endpoints { get; private set; }

    /// <summary>Peers that packets are sent to.</summary>
    internal int PeerCount { get; private set; }

    /// <summary>
    /// Makes the maps say what a table says. A peer that stays with the engine has an entry, too: without one its packets would be taken for those of a larger subnet around it.
    /// </summary>
    /// <param name="table">The peers.</param>
    /// <param name="endpoints">Hosts that take part.</param>
    /// <returns>True if a map is another one now, for which the programs must be written anew.</returns>
    /// <exception cref="ErrnoException">The kernel refused; the maps are in between.</exception>
    internal bool Apply(PeerTable table, LaneEndpoints endpoints)
    {
        bool isAnother = GiveSlots(table);
        var wanted = new Dictionary<PrefixKey, PeerValue>(table.Peers.Count);
        int count = 0;
        for (int i = 0; i < table.Peers.Count; i++)
        {
            Peer peer = table.Peers[i];
            if (peer.Subnet.BaseAddress.AddressFamily != AddressFamily.InterNetwork) continue;
            ref readonly PeerEntry entry = ref table.Entry(i);
            bool isReached = endpoints.Reached.Contains(peer.PublicIP), isOpen = isReached && endpoints.Open.Contains(peer.PublicIP);
            if (isOpen) count++;
            wanted.Add(
                new(peer.Subnet.PrefixLength, LaneCode.Network32((uint)Prefix.ToNumber(peer.Subnet.BaseAddress))),
                new(isReached ? LaneCode.Network32(entry.Ipv4) : 0, _slots[entry.Ipv4], entry.Mac | (isOpen ? OpenFlag : 0)));
        }
        isAnother |= FitPeers(wanted.Keys);
        // What is gone goes first: packets for it are the engine's to refuse from now on.
        foreach (PrefixKey gone in _peers.Keys.Where(key => !wanted.ContainsKey(key)).ToArray())
        {
            PrefixKey key = gone;
            Bpf.Element(Libc.BPF_MAP_DELETE_ELEM, Peers, PlaceOf(&key), null).ThrowOnError("cannot take a peer from the express lane");
            _peers.Remove(gone);
        }
        foreach ((PrefixKey wantedKey, PeerValue wantedValue) in wanted)
        {
            if (_peers.TryGetValue(wantedKey, out PeerValue present) && present.Equals(wantedValue)) continue;
            (PrefixKey key, PeerValue value) = (wantedKey, wantedValue);
            Bpf.Element(Libc.BPF_MAP_UPDATE_ELEM, Peers, PlaceOf(&key), &value).ThrowOnError("cannot give the express lane a peer");
            _peers[wantedKey] = wantedValue;
        }
        PeerCount = count;
        return isAnother;
    }

    /// <summary>The sums of a direction.</summary>
    internal ExpressPathStatus ReadTotals(LaneDirection direction)
    {
        long packets = 0, bytes = 0, failed = 0;
        long* total = stackalloc long[TotalSize / sizeof(long)];
        for (int i = 0; i < TotalsOfDirection; i++)
        {
            int key = (int)direction * TotalsOfDirection + i;
            Bpf.Element(Libc.BPF_MAP_LOOKUP_ELEM, Totals, &key, total).ThrowOnError("cannot read the express lane's counters");
            packets += total[Packets / sizeof(long)];
            bytes += total[Bytes / sizeof(long)];
            failed += total[Failed / sizeof(long)];
        }
        return new(packets, bytes, failed);
    }

    /// <summary>A peer's status with what the lane carried for its endpoint; IPv4 underlays only.</summary>
    internal PeerStatus AddTo(PeerStatus peer)
    {
        EndpointCount count = Read(peer.PublicIP);
        return peer with
        {
            EgressPackets = peer.EgressPackets + count.EgressPackets,
            EgressBytes = peer.EgressBytes + count.EgressBytes,
            IngressPackets = peer.IngressPackets + count.IngressPackets,
            IngressBytes = peer.IngressBytes + count.IngressBytes,
        };
    }

    /// <summary>Packets sent to a host.</summary>
    internal long EgressPackets(IPAddress publicIP) => Read(publicIP).EgressPackets;

    private EndpointCount Read(IPAddress publicIP)
    {
        EndpointCount count = default;
        if (_slots.TryGetValue((uint)Prefix.ToNumber(publicIP), out int slot))
            Bpf.Element(Libc.BPF_MAP_LOOKUP_ELEM, Endpoints, &slot, &count).ThrowOnError("cannot read the express lane's counters");
        return count;
    }

    public void Dispose()
    {
        Peers.Dispose();
        Totals.Dispose();
        Flows.Dispose();
        Endpoints.Dispose();
    }

    private static NativeFd CreatePeers(int prefixLength, int capacity) => prefixLength == Mixed
        ? Bpf.CreateMap("ff_peers", Libc.BPF_MAP_TYPE_LPM_TRIE, sizeof(PrefixKey), sizeof(PeerValue), MaxPeers, Libc.BPF_F_NO_PREALLOC)
        : Bpf.CreateMap("ff_peers", Libc.BPF_MAP_TYPE_HASH, sizeof(uint), sizeof(PeerValue), capacity, Libc.BPF_F_NO_PREALLOC);

    /// <summary>A hash has the address alone as its key.</summary>
    private byte* PlaceOf(PrefixKey* key) => (byte*)key + (PrefixLength == Mixed ? 0 : sizeof(int));

    /// <summary>Makes another map, still empty, where the peers do not fit the one that is there.</summary>
    private bool FitPeers(IReadOnlyCollection<PrefixKey> wanted)
    {
        int length = PrefixLength;
        bool isFirst = true;
        foreach (PrefixKey key in wanted)
        {
            length = isFirst || key.Length == length ? key.Length : Mixed;
            isFirst = false;
            if (length == Mixed) break;
        }
        if (length == PrefixLength && (length == Mixed || wanted.Count <= _peerCapacity)) return false;
        int capacity = Math.Max(_peerCapacity, (int)BitOperations.RoundUpToPowerOf2((uint)wanted.Count));
        NativeFd another = CreatePeers(length, capacity);
        // Programs that run keep the old one until others take their place.
        Peers.Dispose();
        (Peers, PrefixLength, _peerCapacity) = (another, length, capacity);
        _peers.Clear();
        return true;
    }

    private static NativeFd CreateEndpoints(int capacity) =>
        Bpf.CreateMap("ff_endpoints", Libc.BPF_MAP_TYPE_ARRAY, sizeof(int), sizeof(EndpointCount), capacity, 0);

    /// <summary>Every endpoint of the table has a slot afterwards, and those of others are free.</summary>
    private bool GiveSlots(PeerTable table)
    {
        var named = new HashSet<uint>(table.EndpointCount);
        for (int i = 0; i < table.Peers.Count; i++) named.Add(table.Entry(i).Ipv4);
        foreach (uint gone in _slots.Keys.Where(address => !named.Contains(address)).ToArray())
        {
            _freeSlots.Push(_slots[gone]);
            _slots.Remove(gone);
        }
        bool isGrown = named.Count > _capacity;
        if (isGrown) Grow((int)BitOperations.RoundUpToPowerOf2((uint)named.Count));
        foreach (uint address in named)
        {
            if (_slots.ContainsKey(address)) continue;
            if (_freeSlots.TryPop(out int slot)) SetCount(Endpoints, slot, default);
            else slot = _usedSlots++;
            _slots.Add(address, slot);
        }
        return isGrown;
    }

    /// <summary>What is counted between the copy and the new programs is missing in the counters of endpoints; totals miss nothing.</summary>
    private void Grow(int capacity)
    {
        NativeFd larger = CreateEndpoints(capacity);
        try
        {
            for (int slot = 0; slot < _usedSlots; slot++)
            {
                EndpointCount count;
                Bpf.Element(Libc.BPF_MAP_LOOKUP_ELEM, Endpoints, &slot, &count).ThrowOnError("cannot read the express lane's counters");
                SetCount(larger, slot, count);
            }
        }
        catch
        {
            larger.Dispose();
            throw;
        }
        Endpoints.Dispose();
        Endpoints = larger;
        _capacity = capacity;
    }

    private static void SetCount(NativeFd map, int slot, EndpointCount count) =>
        Bpf.Element(Libc.BPF_MAP_UPDATE_ELEM, map, &slot, &count).ThrowOnError("cannot set the express lane's counters");

    /// <summary>struct bpf_lpm_trie_key: the address is in network order.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PrefixKey(int Length, uint Address);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PeerValue(uint Address, int Slot, ulong MacAndFlag);

    [StructLayout(LayoutKind.Sequential)]
    private struct EndpointCount
    {
        internal long EgressPackets;
        internal long EgressBytes;
        internal long IngressPackets;
        internal long IngressBytes;
    }
}
