using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class ExpressEndpointsTests
{
    private const int Underlay = 2;

    private readonly FakeExpressHost _host = new();
    private readonly ExpressEndpoints _endpoints;

    public ExpressEndpointsTests() => _endpoints = new(_host.FindLinks);

    [Fact]
    public void Only_those_over_the_underlay_take_part()
    {
        _host.LinkTo = address => address.ToString() switch { "192.0.2.3" => 9, "192.0.2.4" => 0, _ => Underlay };
        Follow(2, 3, 4, 5);
        Assert.False(AskAll());
        Assert.Equal(["192.0.2.2", "192.0.2.5"], Over());
    }

    [Fact]
    public void Each_host_is_asked_for_once_however_many_subnets_it_has()
    {
        Peer two = FakeTunnelRuntime.Peer(2);
        _endpoints.Follow([two, two with { Subnet = IPNetwork.Parse("10.5.200.0/24") }, FakeTunnelRuntime.Peer(3), two with { PublicIP = IPAddress.Parse("2001:db8::2") }]);
        AskAll();
        Assert.Equal(2, _host.Asked.Count);
        Assert.Equal(["192.0.2.2", "192.0.2.3"], Over());
    }

    [Fact]
    public void Other_peers_cost_only_questions_for_new_ones()
    {
        Follow(2, 3);
        AskAll();
        _ = Over();
        _host.Asked.Clear();
        Follow(3, 4);
        Assert.True(_endpoints.HasChanged);
        AskAll();
        Assert.Equal(["192.0.2.4"], _host.Asked.Select(a => a.ToString()));
        Assert.Equal(["192.0.2.3", "192.0.2.4"], Over());
    }

    /// <summary>A default route that a routing daemon changes faster than a large mesh is asked about.</summary>
    [Fact]
    public void A_network_that_comes_and_goes_does_not_make_the_questions_more()
    {
        Follow(2, 3);
        for (int i = 0; i < 10; i++)
        {
            Assert.True(_endpoints.Doubt(IPNetwork.Parse("0.0.0.0/0")));
            Follow(2, 3);
        }
        AskAll();
        Assert.Equal(2, _host.Asked.Count);
        Assert.True(_endpoints.Doubt(IPNetwork.Parse("0.0.0.0/0")));
        Follow(2, 3);
        AskAll();
        Assert.Equal(4, _host.Asked.Count);
    }

    [Fact]
    public void Nothing_new_is_no_change()
    {
        Follow(2, 3);
        AskAll();
        _ = Over();
        Follow(3, 2);
        _endpoints.DoubtAll();
        Follow(2, 3);
        Assert.False(_endpoints.IsComplete);
        AskAll();
        Assert.False(_endpoints.HasChanged);
    }

    [Theory]
    [InlineData("0.0.0.0/0", 3)]
    [InlineData("192.0.2.0/24", 3)]
    [InlineData("192.0.2.2/31", 2)]
    [InlineData("192.0.2.3/32", 1)]
    [InlineData("192.0.2.200/32", 1)]
    [InlineData("192.0.2.4/30", 0)]
    [InlineData("192.0.3.0/24", 0)]
    [InlineData("10.0.0.0/8", 0)]
    [InlineData("224.0.0.0/4", 0)]
    [InlineData("::/0", 0)]
    public void A_route_puts_in_doubt_whom_it_covers(string network, int count)
    {
        Follow(2, 3, 200);
        AskAll();
        _host.Asked.Clear();
        Assert.Equal(count > 0, _endpoints.Doubt(IPNetwork.Parse(network)));
        Follow(2, 3, 200);
        AskAll();
        Assert.Equal(count, _host.Asked.Count);
    }

    [Fact]
    public void A_flood_of_routes_ends_in_one_question_for_each()
    {
        int[] numbers = [.. Enumerable.Range(2, 200)];
        Follow(numbers);
        AskAll();
        _host.Asked.Clear();
        for (int round = 0; round < 10; round++)
        {
            foreach (int number in numbers) Assert.True(_endpoints.Doubt(new(IPAddress.Parse($"192.0.2.{number}"), 32)));
        }
        Follow(numbers);
        AskAll();
        Assert.Equal(200, _host.Asked.Count);
    }

    [Fact]
    public void One_that_leaves_the_underlay_is_told_at_once_one_that_comes_is_not()
    {
        Follow(2, 3);
        AskAll();
        _host.LinkTo = _ => 9;
        _endpoints.DoubtAll();
        Follow(2, 3);
        Assert.True(_endpoints.AskNext(Underlay));
        Assert.Empty(Over());
        _host.LinkTo = _ => Underlay;
        _endpoints.DoubtAll();
        Follow(2, 3);
        Assert.False(_endpoints.AskNext(Underlay));
        Assert.Equal(["192.0.2.2", "192.0.2.3"], Over());
    }

    [Fact]
    public void Many_are_asked_for_in_parts_and_the_doubtful_first()
    {
        Peer[] peers = [.. Enumerable.Range(0, 3 * ExpressEndpoints.ChunkSize).Select(i => new Peer(new(new IPAddress([10, (byte)(i >> 8), (byte)i, 0]), 24), new([172, 16, (byte)(i >> 8), (byte)i])))];
        _endpoints.Follow(peers);
        Assert.False(_endpoints.AskNext(Underlay));
        Assert.Equal(ExpressEndpoints.ChunkSize, _host.Asked.Count);
        Assert.False(_endpoints.IsComplete);
        Assert.True(_endpoints.Doubt(IPNetwork.Parse("172.16.0.7/32")));
        _endpoints.Follow(peers);
        _host.Asked.Clear();
        _endpoints.AskNext(Underlay);
        Assert.Equal("172.16.0.7", _host.Asked[^1].ToString());
        AskAll();
        Assert.Equal(peers.Length, Over().Length);
    }

    [Fact]
    public void A_refusal_leaves_the_questions_for_later()
    {
        Follow(2);
        _host.Refusal = new("no");
        Assert.Throws<IOException>(() => _endpoints.AskNext(Underlay));
        _host.Refusal = null;
        Assert.False(_endpoints.IsComplete);
        AskAll();
        Assert.Equal(["192.0.2.2"], Over());
    }

    [Fact]
    public void Forgetting_asks_everything_again_and_trusts_nothing_before()
    {
        Follow(2, 3);
        AskAll();
        _endpoints.Forget();
        Assert.Empty(Over());
        Follow(2, 3);
        AskAll();
        Assert.Equal(["192.0.2.2", "192.0.2.3"], Over());
    }

    private void Follow(params int[] numbers) => _endpoints.Follow([.. numbers.Select(n => new Peer(IPNetwork.Parse($"10.5.{n}.0/24"), IPAddress.Parse($"192.0.2.{n}")))]);

    private bool AskAll()
    {
        bool hasLeft = false;
        while (!_endpoints.IsComplete) hasLeft |= _endpoints.AskNext(Underlay);
        return hasLeft;
    }

    private string[] Over() => [.. _endpoints.Over(Underlay).Select(a => a.ToString()).Order(StringComparer.Ordinal)];
}
