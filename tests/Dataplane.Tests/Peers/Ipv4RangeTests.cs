using System.Net;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

public sealed class Ipv4RangeTests
{
    private static Ipv4Route Route(string subnet, int peer)
    {
        IPNetwork network = IPNetwork.Parse(subnet);
        return new((uint)SlowLookup.Number(network.BaseAddress), network.PrefixLength, peer);
    }

    [Fact]
    public void No_routes_leave_one_run_of_nobody() => Assert.Equal([new(0, 0)], Ipv4Range.Flatten([]));

    [Fact]
    public void Nested_and_neighbouring_subnets_become_runs_without_repetition()
    {
        List<Ipv4Range> runs = Ipv4Range.Flatten(
        [
            Route("10.0.0.0/8", 0), Route("10.0.0.0/24", 1), Route("10.0.0.0/32", 2), // One start, three depths.
            Route("10.0.1.0/24", 3),                                                   // Starts where another ends.
            Route("10.255.255.0/24", 4), Route("10.255.255.255/32", 5),                // One end, three depths.
        ]);
        Assert.Equal(
        [
            new(0, 0), new(0x0A000000, 3), new(0x0A000001, 2), new(0x0A000100, 4), new(0x0A000200, 1),
            new(0x0AFFFF00, 5), new(0x0AFFFFFF, 6), new(0x0B000000, 0),
        ], runs);
    }

    [Fact]
    public void The_ends_of_the_address_space_are_ordinary_addresses()
    {
        Assert.Equal([new(0, 1), new(1, 0)], Ipv4Range.Flatten([Route("0.0.0.0/32", 0)]));
        Assert.Equal([new(0, 0), new(0xFFFFFFFF, 1)], Ipv4Range.Flatten([Route("255.255.255.255/32", 0)]));
        Assert.Equal([new(0, 1), new(0x80000000, 2), new(0xFFFFFFFF, 3)],
            Ipv4Range.Flatten([Route("0.0.0.0/1", 0), Route("128.0.0.0/1", 1), Route("255.255.255.255/32", 2)]));
    }
}
