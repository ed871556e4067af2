using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

public sealed class PeerCountersTests
{
    private static Peer Peer(int subnet, int host) => new(PeerLists.Subnet(false, 0x0A000000 + ((uint)subnet << 8), 24), PeerLists.Host((uint)host));

    [Fact]
    public void Counters_stay_with_the_endpoint_over_republication()
    {
        PeerTable first = PeerTable.Build([], [Peer(1, 1), Peer(2, 2), Peer(3, 3)], null, 2);
        ref PeerCounters held = ref first.Counters(1, first.EndpointOf(1));
        held.EgressPackets = 7;
        // Host 2 moves to another index, another subnet joins it, host 1 leaves, host 9 comes.
        PeerTable second = PeerTable.Build([], [Peer(9, 9), Peer(3, 3), Peer(7, 2), Peer(2, 2)], first, 2);
        int moved = second.FindEndpoint(0xAC100002);
        Assert.Equal((1, 2), (first.EndpointOf(1), moved));
        Assert.True(Unsafe.AreSame(ref held, ref second.Counters(1, moved)));
        held.EgressPackets += 5; // Through the old snapshot, after publication of the new one.
        Assert.Equal(12, second.Counters(1, moved).EgressPackets);
        Assert.Equal(0, second.Counters(0, moved).EgressPackets);
        Assert.Equal(0, second.Counters(1, second.EndpointOf(0)).EgressPackets);
        GC.KeepAlive(first);
    }

    [Fact]
    public void Status_sums_the_workers_and_repeats_the_figures_for_each_subnet_of_a_host()
    {
        PeerTable table = PeerTable.Build([], [Peer(1, 1), Peer(2, 2), Peer(3, 1)], null, 3);
        for (int worker = 0; worker < 3; worker++)
        {
            ref PeerCounters c = ref table.Counters(worker, 0);
            c = new() { EgressPackets = 1, EgressBytes = 20, IngressPackets = 300, IngressBytes = 4_000, SendErrors = 50_000 };
        }
        IReadOnlyList<PeerStatus> status = table.ReadStatus();
        Assert.Equal(new(table.Peers[0].Subnet, table.Peers[0].PublicIP, default, 3, 60, 900, 12_000, 150_000), status[0]);
        Assert.Equal(new(table.Peers[1].Subnet, table.Peers[1].PublicIP, default, 0, 0, 0, 0, 0), status[1]);
        Assert.Equal(status[0] with { Subnet = table.Peers[2].Subnet }, status[2]);
    }

    [Fact]
    public void Every_worker_and_endpoint_has_counters_of_its_own()
    {
        PeerTable table = PeerTable.Build([], PeerLists.Dense(1_000), null, 3);
        for (int worker = 0; worker < 3; worker++)
        {
            for (int endpoint = 0; endpoint < 1_000; endpoint++) table.Counters(worker, endpoint).EgressBytes += 1 + worker + 3 * endpoint;
        }
        for (int worker = 0; worker < 3; worker++)
        {
            for (int endpoint = 0; endpoint < 1_000; endpoint++)
                Assert.Equal(1 + worker + 3 * endpoint, table.Counters(worker, endpoint).EgressBytes);
        }
    }

    /// <summary>Any heap layout is possible, so what counts is the distance of the first and last counter from the ends of their array.</summary>
    [Fact]
    public void Counters_of_two_workers_never_share_a_pair_of_cache_lines()
    {
        int margin = CounterPool.Margin * Unsafe.SizeOf<PeerCounters>();
        Assert.True(margin >= 128, "two lines of 64 bytes");
        var pool = new CounterPool(2);
        var slots = new int[2 * CounterPool.ChunkSlots];
        Array.Fill(slots, -1);
        EndpointCounters counters = pool.Assign(slots);
        var seen = new HashSet<PeerCounters[]>();
        for (int worker = 0; worker < 2; worker++)
        {
            for (int endpoint = 0; endpoint < slots.Length; endpoint++)
            {
                PeerCounters[] chunk = pool.ChunkOf(worker, counters.Slots[endpoint]);
                nint offset = Unsafe.ByteOffset(ref MemoryMarshal.GetArrayDataReference(chunk), ref counters.At(worker, endpoint));
                Assert.InRange(offset, margin, chunk.Length * Unsafe.SizeOf<PeerCounters>() - margin - Unsafe.SizeOf<PeerCounters>());
                seen.Add(chunk);
            }
        }
        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public void A_returning_endpoint_starts_at_zero()
    {
        PeerTable first = PeerTable.Build([], [Peer(1, 1), Peer(2, 2)], null, 1);
        first.Counters(0, 1).SendErrors = 3;
        PeerTable without = PeerTable.Build([], [Peer(1, 1)], first, 1);
        PeerTable again = PeerTable.Build([], [Peer(1, 1), Peer(2, 2)], without, 1);
        Assert.Equal(0, again.Counters(0, 1).SendErrors);
        Assert.False(Unsafe.AreSame(ref first.Counters(0, 1), ref again.Counters(0, 1)), "a worker may still hold the first snapshot");
        GC.KeepAlive(first);
    }

    /// <summary>2,000 tables of ever new hosts: memory stays, what is held stays untouched, what is reused starts at zero.</summary>
    [Fact]
    public void Places_are_reused_only_when_nobody_can_write_to_them()
    {
        const int Hosts = 50;
        PeerTable table = PeerTable.Build([], Hosts50(0), null, 2);
        CounterPool pool = table.CounterPool;
        PeerTable held = table;
        for (int endpoint = 0; endpoint < Hosts; endpoint++) held.Counters(1, endpoint).IngressPackets = 1_000 + endpoint;

        bool reused = false;
        for (int round = 1; round <= 2_000; round++)
        {
            table = Next(table, round);
            if (round % 20 == 0) GC.Collect();
            for (int endpoint = 0; endpoint < Hosts; endpoint++)
            {
                ref PeerCounters mine = ref table.Counters(1, endpoint);
                Assert.Equal(0, mine.IngressPackets);
                mine.IngressPackets = -1;
            }
            for (int endpoint = 0; endpoint < Hosts; endpoint++) Assert.Equal(1_000 + endpoint, held.Counters(1, endpoint).IngressPackets);
            reused |= pool.Capacity < round * Hosts;
        }
        Assert.True(reused);
        Assert.Same(pool, table.CounterPool);
        // 100,050 hosts passed through; 20 rounds of 50 are dead but not yet collected at most, and the pool doubles before it sweeps.
        Assert.InRange(pool.Capacity, 2 * Hosts, 4_096);
        GC.KeepAlive(held);

        static List<Peer> Hosts50(int round)
        {
            var peers = new List<Peer>();
            for (int i = 0; i < Hosts; i++) peers.Add(Peer(i, round * Hosts + i));
            return peers;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static PeerTable Next(PeerTable previous, int round) => PeerTable.Build([], Hosts50(round), previous, 2);
    }

    /// <summary>Two tables made from the same one, as a refused publication leaves behind, share only what both inherited.</summary>
    [Fact]
    public void Branches_do_not_share_new_places()
    {
        PeerTable root = PeerTable.Build([], [Peer(1, 1)], null, 1);
        PeerTable left = PeerTable.Build([], [Peer(1, 1), Peer(2, 2)], root, 1);
        PeerTable right = PeerTable.Build([], [Peer(1, 1), Peer(3, 3)], root, 1);
        Assert.True(Unsafe.AreSame(ref left.Counters(0, 0), ref right.Counters(0, 0)));
        Assert.False(Unsafe.AreSame(ref left.Counters(0, 1), ref right.Counters(0, 1)));
    }

    [Fact]
    public void Endpoints_of_the_other_family_inherit_nothing()
    {
        PeerTable first = PeerTable.Build([], [Peer(1, 1)], null, 1);
        first.Counters(0, 0).EgressPackets = 1;
        PeerTable second = PeerTable.Build([], [Peer(1, 1) with { PublicIP = IPAddress.Parse("::ac10:1") }], first, 1);
        Assert.Equal(0, second.Counters(0, 0).EgressPackets);
    }
}
