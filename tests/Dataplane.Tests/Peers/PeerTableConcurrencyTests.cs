using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

/// <summary>Tables are replaced as fast as they can be built while readers look up, compare and count.</summary>
public sealed class PeerTableConcurrencyTests
{
    private const int Readers = 2;

    private sealed record Published(PeerTable Table, SlowLookup.Run[] Runs4, SlowLookup.Run[] Runs6, SlowLookup Slow);

    [Fact]
    public async Task Readers_always_see_one_whole_snapshot()
    {
        TimeSpan duration = TimeSpan.FromSeconds(LookupComparison.IsLong ? 60 : 2);
        var random = new Random(13);
        Published current = Publish(null, random);
        bool stop = false;
        int publications = 0;
        int[] snapshotsSeen = new int[Readers];

        Task<long>[] readers = [.. Enumerable.Range(0, Readers).Select(worker =>
            Task.Factory.StartNew(() => Read(worker), default, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        long until = Environment.TickCount64 + (long)duration.TotalMilliseconds;
        // On a busy machine as much longer as it takes until something was tested, up to a minute.
        while ((Environment.TickCount64 < until || (!WasTested() && Environment.TickCount64 < until + 60_000)) && !readers.Any(r => r.IsCompleted))
        {
            Volatile.Write(ref current, Publish(current.Table, random));
            publications++;
        }
        Volatile.Write(ref stop, true);
        long[] lookups = await Task.WhenAll(readers);

        Assert.True(WasTested(), $"{publications} tables published, {string.Join(" and ", snapshotsSeen)} of them seen");
        // Host 0 is in all tables, so its counters survived all publications and lack nothing.
        int always = current.Table.FindEndpoint(0xAC100000);
        for (int worker = 0; worker < Readers; worker++)
            Assert.Equal(lookups[worker], current.Table.Counters(worker, always).IngressPackets);

        bool WasTested() => publications >= 50 && Volatile.Read(ref snapshotsSeen[0]) >= 20 && Volatile.Read(ref snapshotsSeen[1]) >= 20;

        long Read(int worker)
        {
            long lookups = 0;
            Published? last = null;
            ulong seed = (ulong)worker;
            var dice = new Random(worker);
            while (!Volatile.Read(ref stop))
            {
                Published seen = Volatile.Read(ref current);
                if (!ReferenceEquals(seen, last)) Volatile.Write(ref snapshotsSeen[worker], snapshotsSeen[worker] + 1);
                last = seen;
                LookupComparison.CheckRandom(seen.Table, seen.Runs4, false, 500, ++seed);
                LookupComparison.CheckRandom(seen.Table, seen.Runs6, true, 500, ++seed);
                uint host = 0xAC100000 + (uint)dice.Next(400);
                int endpoint = seen.Table.FindEndpoint(host);
                if (endpoint != seen.Slow.FindEndpoint(SlowLookup.Address(false, host))) throw new InvalidOperationException($"endpoint {host:x8}");
                // Counted through whatever snapshot was read, however old it is by now.
                seen.Table.Counters(worker, seen.Table.FindEndpoint(0xAC100000)).IngressPackets += 1_000;
                lookups += 1_000;
            }
            return lookups;
        }
    }

    /// <summary>In turn a network for the index array and one for the trie; both families; hosts come and go, host 0 stays.</summary>
    private static Published Publish(PeerTable? previous, Random random)
    {
        bool dense = random.Next(2) == 0;
        List<Peer> peers = dense
            ? PeerLists.Dense(random.Next(1, 300), random.Next(20, 29))
            : PeerLists.Random(false, random.Next(1, 300), 1, 32, random);
        peers.AddRange(PeerLists.Random(true, random.Next(1, 100), 40, 64, random));
        peers[^1] = peers[^1] with { PublicIP = PeerLists.Host(0) };
        PeerTable table = PeerTable.Build([], peers, previous, Readers);
        var slow = new SlowLookup(table.Peers);
        return new(table, slow.Runs(false), slow.Runs(true), slow);
    }
}
