using System.Net;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Express;

public sealed class LaneMapsTests(ITestOutputHelper output)
{
    private static readonly IPNetwork[] s_local = [IPNetwork.Parse("10.5.1.0/24")];

    [Fact]
    public void Peers_come_and_go()
    {
        using var maps = new LaneMaps();
        PeerTable table = Table(null, 10);
        maps.Apply(table, Hosts(10));
        Assert.Equal(10, maps.PeerCount);
        table = Table(table, 3);
        maps.Apply(table, Hosts(10));
        Assert.Equal(3, maps.PeerCount);
        maps.Apply(table, Hosts(1));
        Assert.Equal(1, maps.PeerCount);
        // Of those that it reaches, packets are sent to the open ones.
        maps.Apply(table, Hosts(10) with { Open = new HashSet<IPAddress>([Host(0), Host(2), Host(11)]) });
        Assert.Equal(2, maps.PeerCount);
        maps.Apply(Table(table, 0), Hosts(1));
        Assert.Equal(0, maps.PeerCount);
    }

    /// <summary>A thousand endpoints fit the first map of counters; more need another one, for which programs are written anew.</summary>
    [Fact]
    public void Many_endpoints_get_counters_too()
    {
        using var maps = new LaneMaps();
        PeerTable table = Table(null, 1024);
        maps.Apply(table, Hosts(1024));
        table = Table(table, 1025);
        Assert.True(maps.Apply(table, Hosts(1025)));
        Assert.False(maps.Apply(table, Hosts(1025)));
        Assert.All(table.ReadStatus(), peer => Assert.Equal(peer, maps.AddTo(peer)));
    }

    /// <summary>Subnets of one size are found by a hash, of several by a trie.</summary>
    [Fact]
    public void The_map_of_the_peers_fits_their_subnets()
    {
        using var maps = new LaneMaps();
        PeerTable table = Table(null, 10);
        Assert.True(maps.Apply(table, Hosts(10)));
        Assert.Equal(28, maps.PrefixLength);
        table = PeerTable.Build(s_local, [.. table.Peers, new(IPNetwork.Parse("20.0.0.0/27"), Host(11)), new(IPNetwork.Parse("20.0.0.0/26"), Host(1))], table, 1);
        Assert.True(maps.Apply(table, Hosts(10)));
        Assert.Equal((LaneMaps.Mixed, 11), (maps.PrefixLength, maps.PeerCount));
        Assert.False(maps.Apply(table, Hosts(12)));
        Assert.Equal(12, maps.PeerCount);
        Assert.True(maps.Apply(Table(table, 2), Hosts(12)));
        Assert.Equal((28, 2), (maps.PrefixLength, maps.PeerCount));
        Assert.False(maps.Apply(Table(null, 0), Hosts(12)));
    }

    [Fact]
    public void A_hundred_thousand_peers_are_published_in_time()
    {
        using var maps = new LaneMaps();
        PeerTable table = Table(null, 100_000);
        LaneEndpoints hosts = Hosts(100_000);
        long started = TimeProvider.System.GetTimestamp();
        maps.Apply(table, hosts);
        TimeSpan all = TimeProvider.System.GetElapsedTime(started);
        started = TimeProvider.System.GetTimestamp();
        maps.Apply(table, hosts);
        output.WriteLine($"100,000 peers: {all.TotalMilliseconds:F0} ms, again without a change {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:F0} ms");
        Assert.Equal(100_000, maps.PeerCount);
        Assert.InRange(all.TotalSeconds, 0, 10);
    }

    private static LaneEndpoints Hosts(int count)
    {
        HashSet<IPAddress> hosts = [.. Enumerable.Range(0, count).Select(Host)];
        return new(hosts, hosts);
    }

    private static IPAddress Host(int n) => new([100, (byte)(64 + n / 65536), (byte)(n / 256), (byte)n]);

    private static PeerTable Table(PeerTable? previous, int count) => PeerTable.Build(
        s_local, [.. Enumerable.Range(0, count).Select(n => new Peer(new IPNetwork(new IPAddress([20, (byte)(n / 4096), (byte)(n / 16), (byte)(n % 16 * 16)]), 28), Host(n)))], previous, 1);
}
