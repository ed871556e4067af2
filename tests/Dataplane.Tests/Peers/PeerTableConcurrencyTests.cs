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

        Task<(long Lookups, int Snapshots)>[] readers = [.. Enumerable.Range(0, Readers).Select(worker =>
            Task.Factory.StartNew(() => Read(worker), default, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        long until = Environment.TickCount64 + (long)duration.TotalMilliseconds;
        while (Environment.TickCount64 < until && !readers.Any(r => r.IsCompleted))
        {
            Volatile.Write(ref current, Publish(current.Table, random));
            publications++;
        }
        Volatile.Write(ref stop, true);
        (long Lookups, int Snapshots)[] results = await Task.WhenAll(readers);

        Assert.True(publications >= 20, $"{publications} tables published");
        Assert.All(results, r => Assert.True(r.Snapshots >= 10 && r.Lookups >= 100_000, $"{r.Lookups} lookups in {r.Snapshots} snapshots"));
        // Host 0 is in all tables, so its counters survived all publications and lack nothing.
        int always = current.Table.FindEndpoint(0xAC100000);
        for (int worker = 0; worker < Readers; worker++)
            Assert.Equal(results[worker].Lookups, current.Table.Counters(worker, always).IngressPackets);

        (long, int) Read(int worker)
        {
            long lookups = 0;
            int snapshots = 0;
            Published? last = null;
            ulong seed = (ulong)worker;
            var dice = new Random(worker);
            while (!Volatile.Read(ref stop))
            {
                Published seen = Volatile.Read(ref current);
                snapshots += ReferenceEquals(seen, last) ? 0 : 1;
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
            return (lookups, snapshots);
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
