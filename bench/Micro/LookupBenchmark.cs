using BenchmarkDotNet.Attributes;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Tests.Peers;

namespace FlannelFast.Bench.Micro;

/// <summary>
/// One lookup per packet: 4,096 random destinations of the network, one in eight without a peer. Times are per lookup.
/// Array and Trie answer for the same /24s; Scattered is the worst case of the trie, subnets of /17 to /32 all over the address space.
/// </summary>
public class LookupBenchmark : IValidated
{
    private const int Packets = 4_096;

    private readonly uint[] _destinations4 = new uint[Packets];
    private readonly UInt128[] _destinations6 = new UInt128[Packets];
    private readonly uint[] _scatteredDestinations = new uint[Packets];
    private readonly uint[] _sources = new uint[Packets];
    private PeerTable _array = null!;
    private PeerTable _trie = null!;
    private PeerTable _scattered = null!;
    private PeerTable _ipv6 = null!;

    [Params(1, 1_000, 100_000)]
    public int Peers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        // The trie must find the same peers in the same network: a host far away makes it leave the array.
        List<Peer> peers = PeerLists.Dense(Peers);
        _array = PeerTable.Build([], peers, null, 1);
        _trie = PeerTable.Build([], [.. peers, new(PeerLists.Subnet(false, 0xC0A80101, 32), PeerLists.Host(0))], null, 1);
        _ipv6 = PeerTable.Build([], PeerLists.DenseIpv6(Peers), null, 1);

        var random = new Random(1);
        _scattered = PeerTable.Build([], PeerLists.Random(false, Peers + 1, 17, 32, random), null, 1);
        for (int i = 0; i < Packets; i++)
        {
            Peer peer4 = _array.Peers[random.Next(Peers)], peer6 = _ipv6.Peers[random.Next(Peers)];
            bool stranger = i % 8 == 7;
            _destinations4[i] = (uint)SlowLookup.Number(peer4.Subnet.BaseAddress) + (uint)random.Next(256) ^ (stranger ? 0x40000000U : 0);
            _destinations6[i] = SlowLookup.Number(peer6.Subnet.BaseAddress) + (uint)random.Next() ^ (stranger ? UInt128.One << 120 : 0);
            _scatteredDestinations[i] = (uint)SlowLookup.Number(_scattered.Peers[random.Next(Peers)].Subnet.BaseAddress) + (uint)random.Next(2);
            _sources[i] = (uint)SlowLookup.Number(peer4.PublicIP) ^ (stranger ? 0x40000000U : 0);
        }
        Validate();
    }

    private void Validate()
    {
        SlowLookup slow4 = new(_array.Peers), slow6 = new(_ipv6.Peers), slowScattered = new(_scattered.Peers);
        // Every destination against the fast tables; the linear scan of 100,000 peers for as many as take some tenths of a second.
        int scans = Math.Min(Packets, 40_000_000 / Peers);
        for (int i = 0; i < Packets; i++)
        {
            uint destination = _destinations4[i], scattered = _scatteredDestinations[i];
            int peer4 = _array.Find(destination), peer6 = _ipv6.Find(_destinations6[i]), endpoint = _array.FindEndpoint(_sources[i]);
            Check(_trie.Find(destination) == peer4, "trie and array differ", SlowLookup.Address(false, destination));
            Check((peer4 < 0) == (i % 8 == 7), "every eighth destination, and no other, has no peer", SlowLookup.Address(false, destination));
            if (i >= scans) continue;
            Check(peer4 == slow4.Find(false, destination), "array", SlowLookup.Address(false, destination));
            Check(_scattered.Find(scattered) == slowScattered.Find(false, scattered), "scattered trie", SlowLookup.Address(false, scattered));
            Check(peer6 == slow6.Find(true, _destinations6[i]), "IPv6", SlowLookup.Address(true, _destinations6[i]));
            Check(endpoint == slow4.FindEndpoint(SlowLookup.Address(false, _sources[i])), "endpoint", SlowLookup.Address(false, _sources[i]));
        }
    }

    private static void Check(bool right, string what, object address)
    {
        if (!right) throw new InvalidOperationException($"{what}: wrong result for {address}");
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Packets)]
    public int Array() => Find(_array, _destinations4);

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Trie() => Find(_trie, _destinations4);

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Scattered() => Find(_scattered, _scatteredDestinations);

    private static int Find(PeerTable table, uint[] destinations)
    {
        int sum = 0;
        foreach (uint destination in destinations) sum += table.Find(destination);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Ipv6()
    {
        PeerTable table = _ipv6;
        int sum = 0;
        foreach (UInt128 destination in _destinations6) sum += table.Find(destination);
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Endpoint()
    {
        PeerTable table = _array;
        int sum = 0;
        foreach (uint source in _sources) sum += table.FindEndpoint(source);
        return sum;
    }
}
