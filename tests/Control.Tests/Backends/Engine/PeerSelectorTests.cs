using System.Net;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tests.Backends.Engine;

public sealed class PeerSelectorTests
{
    private readonly List<string> _failures = [];
    private readonly PeerSelector _selector;
    private int _reads;

    public PeerSelectorTests() => _selector = new(Sample.Lease(1).Subnet, IPAddress.Parse("192.0.2.1"), Read);

    [Theory]
    [InlineData("10.5.2.0/24", "192.0.2.1", "own")]
    [InlineData("10.5.2.0/24", "224.0.0.1", "no host")]
    [InlineData("10.5.2.0/24", "0.0.0.7", "no host")]
    [InlineData("10.5.2.0/24", "255.255.255.255", "no host")]
    [InlineData("10.5.2.0/24", "10.5.2.7", "inside its own subnet")]
    [InlineData("10.5.2.0/24", "2001:db8::2", "family")]
    [InlineData("10.5.1.128/25", "192.0.2.2", "outside our own 10.5.1.0/24")]
    [InlineData("0.0.0.0/0", "198.51.100.1", "")]
    public void A_hostile_lease_concerns_itself_only(string subnet, string host, string reason)
    {
        List<Peer> peers = _selector.Select([Lease(subnet, host, 1), Sample.Lease(1), Sample.Lease(3)], _failures);
        Assert.Equal([new(IPNetwork.Parse("10.5.3.0/24"), IPAddress.Parse("192.0.2.3"))], peers);
        string failure = Assert.Single(_failures);
        Assert.StartsWith($"lease {subnet}: ", failure, StringComparison.Ordinal);
        Assert.Contains(reason, failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_selected_makes_a_table()
    {
        Lease[] leases =
        [
            Lease("10.5.0.0/17", "192.0.2.9", 5), Lease("10.5.2.0/24", "192.0.2.2", 9), Lease("10.5.2.0/24", "192.0.2.3", 8),
            Lease("10.5.2.0/25", "192.0.2.4", 1), Lease("10.5.0.0/16", "192.0.2.5", 2),
        ];
        List<Peer> peers = _selector.Select(leases, _failures);
        PeerTable.Build([IPNetwork.Parse("10.5.1.0/24")], peers, null, 1);
        // The lower create revision wins; nested subnets are the longest-prefix match's to decide.
        Assert.Equal(["192.0.2.3", "192.0.2.4"], peers.Select(peer => peer.PublicIP.ToString()));
        Assert.Equal(3, _failures.Count);
    }

    [Fact]
    public void What_a_lease_means_is_looked_at_once()
    {
        Lease[] leases = [Sample.Lease(1), Sample.Lease(2), Sample.Lease(3)];
        List<Peer> first = _selector.Select(leases, _failures), second = _selector.Select([.. leases, Sample.Lease(4)], _failures);
        Assert.Equal(3, _reads);
        Assert.Same(first[0], second[0]);
        _selector.Select([leases[1]], _failures);
        Assert.Equal(3, _reads);
        // Forgotten with the lease: nothing grows.
        _selector.Select(leases, _failures);
        Assert.Equal(4, _reads);
    }

    [Fact]
    public void A_lease_of_another_family_is_none_and_one_without_address_is_a_failure()
    {
        Assert.Equal(default, PeerCandidate.Of(null, IPAddress.Parse("192.0.2.2")));
        PeerCandidate without = PeerCandidate.Of(IPNetwork.Parse("10.5.2.0/24"), null);
        Assert.Null(without.Peer);
        Assert.NotNull(without.Refusal);
    }

    [Fact]
    public void Differences_are_told_by_subnet()
    {
        Peer a = Peer("10.5.2.0/24", 2), b = Peer("10.5.3.0/24", 3), c = Peer("10.5.3.0/25", 4), d = Peer("fd00::/64", 5);
        List<string> changes = [];
        PeerOrder.Compare([a, b, d], [a with { }, b with { VtepMac = new(0x020000000003) }, c], changes);
        Assert.Equal(["10.5.3.0/24 at 192.0.2.3, 02:00:00:00:00:03", "10.5.3.0/25 at 192.0.2.4", "fd00::/64 removed"], changes);
    }

    private PeerCandidate Read(Lease lease)
    {
        _reads++;
        return PeerCandidate.Of(lease.Subnet.Ipv4, lease.Attributes.PublicIP);
    }

    private static Peer Peer(string subnet, int host) => new(IPNetwork.Parse(subnet), IPAddress.Parse($"192.0.2.{host}"), default(MacAddress));

    private static Lease Lease(string subnet, string host, long revision) => new()
    {
        Subnet = new(IPNetwork.Parse(subnet)),
        Attributes = new() { PublicIP = IPAddress.Parse(host) },
        ExpiresAt = null,
        CreateRevision = revision,
        ModRevision = revision,
    };
}
