using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

public sealed class PeerTableBuildTests
{
    private static readonly IPNetwork[] s_local = [IPNetwork.Parse("10.5.1.0/24"), IPNetwork.Parse("fd00:10:5:1::/64")];

    private static Peer Peer(string subnet, string publicIP, string? mac = null)
    {
        MacAddress address = default;
        Assert.True(mac is null || MacAddress.TryParse(mac, out address));
        return new(IPNetwork.Parse(subnet), IPAddress.Parse(publicIP), address);
    }

    [Theory]
    [InlineData("0.0.0.0/0", "192.0.2.9", "a subnet with a prefix length of 1 or more expected")]
    [InlineData("::/0", "192.0.2.9", "a subnet with a prefix length of 1 or more expected")]
    [InlineData("::ffff:0.0.0.0/96", "192.0.2.9", "a subnet with a prefix length of 1 or more expected")]
    [InlineData("10.5.1.0/24", "192.0.2.9", "a subnet outside our own 10.5.1.0/24 expected")]
    [InlineData("10.5.0.0/16", "192.0.2.9", "a subnet outside our own 10.5.1.0/24 expected")]
    [InlineData("10.5.1.128/25", "192.0.2.9", "a subnet outside our own 10.5.1.0/24 expected")]
    [InlineData("10.5.1.255/32", "192.0.2.9", "a subnet outside our own 10.5.1.0/24 expected")]
    [InlineData("::ffff:10.5.1.0/120", "192.0.2.9", "a subnet outside our own 10.5.1.0/24 expected")]
    [InlineData("fd00:10:5::/48", "192.0.2.9", "a subnet outside our own fd00:10:5:1::/64 expected")]
    [InlineData("fd00:10:5:1::/64", "192.0.2.9", "a subnet outside our own fd00:10:5:1::/64 expected")]
    [InlineData("fd00:10:5:1:8000::/65", "192.0.2.9", "a subnet outside our own fd00:10:5:1::/64 expected")]
    [InlineData("10.5.3.0/24", "0.0.0.0", "a host address as PublicIP expected, not the unspecified one")]
    [InlineData("10.5.3.0/24", "::", "a host address as PublicIP expected, not the unspecified one")]
    [InlineData("10.5.3.0/24", "::ffff:0.0.0.0", "a host address as PublicIP expected, not the unspecified one")]
    [InlineData("10.5.3.0/24", "224.0.0.1", "a unicast PublicIP expected, not a multicast address")]
    [InlineData("10.5.3.0/24", "239.255.255.255", "a unicast PublicIP expected, not a multicast address")]
    [InlineData("10.5.3.0/24", "::ffff:224.0.0.1", "a unicast PublicIP expected, not a multicast address")]
    [InlineData("10.5.3.0/24", "ff02::1", "a unicast PublicIP expected, not a multicast address")]
    [InlineData("10.5.3.0/24", "255.255.255.255", "a unicast PublicIP expected, not the broadcast address")]
    [InlineData("10.5.3.0/24", "fe80::1", "a PublicIP valid beyond one link expected, not a link-local one")]
    public void A_peer_that_breaks_a_rule_is_named_with_what_was_expected(string subnet, string publicIP, string expected)
    {
        Peer bad = Peer(subnet, publicIP);
        string reason = $"peer {bad.Subnet}={bad.PublicIP}: {expected}";
        var refused = Assert.Throws<ArgumentException>(() => PeerTable.Build(s_local, [bad], null, 1));
        Assert.Equal(reason, refused.Message);
        Assert.Equal(reason, PeerTable.WhyRefused(s_local, bad));
        // The same behind a good one: nothing of the table is made.
        Assert.Throws<ArgumentException>(() => PeerTable.Build(s_local, [Peer("10.5.2.0/24", "192.0.2.2"), bad], null, 1));
    }

    [Fact]
    public void A_multicast_mac_is_refused()
    {
        Peer bad = Peer("10.5.3.0/24", "192.0.2.3", "ff:ff:ff:ff:ff:ff");
        var refused = Assert.Throws<ArgumentException>(() => PeerTable.Build(s_local, [bad], null, 1));
        Assert.Equal("peer 10.5.3.0/24=192.0.2.3,ff:ff:ff:ff:ff:ff: a unicast VtepMAC expected", refused.Message);
    }

    [Theory]
    [InlineData("10.5.2.0/24")]
    [InlineData("::ffff:10.5.2.0/120")]
    public void A_subnet_given_twice_is_refused(string again)
    {
        Peer[] peers = [Peer("10.5.2.0/24", "192.0.2.2"), Peer("10.5.3.0/24", "192.0.2.3"), Peer(again, "192.0.2.4")];
        var refused = Assert.Throws<ArgumentException>(() => PeerTable.Build(s_local, peers, null, 1));
        Assert.Equal($"peer {again}=192.0.2.4: a subnet given once expected, and peer 10.5.2.0/24=192.0.2.2 has it already", refused.Message);
        Assert.Null(PeerTable.WhyRefused(s_local, peers[2]));
    }

    [Theory]
    [InlineData("192.0.2.2", "2001:db8::3")]
    [InlineData("2001:db8::2", "192.0.2.3")]
    [InlineData("2001:db8::2", "::ffff:192.0.2.3")]
    public void Peers_on_two_underlay_families_are_refused(string first, string second)
    {
        Peer[] peers = [Peer("10.5.2.0/24", first), Peer("10.5.3.0/24", second)];
        var refused = Assert.Throws<ArgumentException>(() => PeerTable.Build(s_local, peers, null, 1));
        Assert.Equal($"peer 10.5.3.0/24={second}: a PublicIP of the same family as that of peer 10.5.2.0/24={first} expected", refused.Message);
    }

    [Fact]
    public void Local_subnets_follow_the_rules()
    {
        Assert.Equal("local subnet 0.0.0.0/0: a prefix length of 1 or more expected",
            Assert.Throws<ArgumentException>(() => PeerTable.Build([default], [], null, 1)).Message);
        IPNetwork[] two = [IPNetwork.Parse("10.5.1.0/24"), IPNetwork.Parse("fd00::/64"), IPNetwork.Parse("10.6.1.0/24")];
        Assert.Equal("local subnet 10.6.1.0/24: at most one local subnet of each family expected, and 10.5.1.0/24 is one already",
            Assert.Throws<ArgumentException>(() => PeerTable.Build(two, [], null, 1)).Message);
    }

    [Fact]
    public void Arguments_that_are_no_table_are_refused()
    {
        Assert.Throws<ArgumentNullException>(() => PeerTable.Build(null!, [], null, 1));
        Assert.Throws<ArgumentNullException>(() => PeerTable.Build([], null!, null, 1));
        Assert.Equal("peer number 1 of 1: a peer expected, not null",
            Assert.Throws<ArgumentException>(() => PeerTable.Build([], [null!], null, 1)).Message);
        Assert.Equal("0 workers: 1 to 64 expected", Assert.Throws<ArgumentException>(() => PeerTable.Build([], [], null, 0)).Message);
        Assert.Equal("65 workers: 1 to 64 expected", Assert.Throws<ArgumentException>(() => PeerTable.Build([], [], null, 65)).Message);
        PeerTable two = PeerTable.Build([], [], null, 2);
        Assert.Equal("3 workers: 2 expected, as in the table before",
            Assert.Throws<ArgumentException>(() => PeerTable.Build([], [], two, 3)).Message);
    }

    [Fact]
    public void What_is_legal_is_accepted()
    {
        Peer[] peers =
        [
            Peer("10.0.0.0/16", "127.0.0.1"),                    // A loopback PublicIP: several engines on one machine.
            Peer("10.0.2.0/24", "192.0.2.2"),                    // Inside the first.
            Peer("10.5.0.0/24", "192.0.2.2"),                    // Beside our own subnet, second subnet of a host.
            Peer("10.5.2.0/24", "240.0.0.1"),                    // Unicast for Linux, and used inside clouds.
            Peer("fd00:10:5:2::/64", "192.0.2.255"),             // May be a host: only a netmask could tell.
            Peer("10.5.1.0/24", "192.0.2.4") with { Subnet = IPNetwork.Parse("10.6.1.0/24") },
        ];
        PeerTable table = PeerTable.Build(s_local, peers, null, 1);
        Assert.Equal(peers, table.Peers);
        Assert.Equal(5, table.EndpointCount);
        Assert.Equal(table.EndpointOf(1), table.EndpointOf(2));
        Assert.All(peers, p => Assert.Null(PeerTable.WhyRefused(s_local, p)));
    }

    [Fact]
    public void Ipv4_mapped_addresses_become_ipv4()
    {
        PeerTable table = PeerTable.Build([IPNetwork.Parse("::ffff:10.5.1.0/120")], [Peer("::ffff:10.5.2.0/120", "::ffff:192.0.2.2")], null, 1);
        Assert.Equal([Peer("10.5.2.0/24", "192.0.2.2")], table.Peers);
        Assert.Equal(0, table.Find(0x0A0502FF));
        Assert.Equal(0, table.FindEndpoint(0xC0000202));
        Assert.True(table.IsLocal(0x0A050101));
    }
}
