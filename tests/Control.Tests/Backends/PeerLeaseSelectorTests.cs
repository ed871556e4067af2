using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends;

public sealed class PeerLeaseSelectorTests
{
    [Fact]
    public void Other_backends_other_families_and_our_own_are_passed_over_in_silence()
    {
        Lease ours = Lease("10.5.1.0/24", 1), other = Lease("10.5.2.0/24", 2);
        Lease foreign = other with { Subnet = new(IPNetwork.Parse("10.5.3.0/24")), Attributes = other.Attributes with { BackendType = "host-gw" } };
        Lease ipv6 = other with { Subnet = new(null, IPNetwork.Parse("fd05:0:0:4::/64")) };
        (string[] chosen, string[] failures) = Select(ours, other, foreign, ipv6);
        Assert.Equal(["10.5.2.0/24"], chosen);
        Assert.Empty(failures);
    }

    /// <summary>Stock's udp looks at no type, and has one IPv4 socket whatever is inside.</summary>
    [Fact]
    public void All_types_and_another_underlay_are_taken_where_asked_for()
    {
        Lease ours = Lease("10.5.1.0/24", 1), untyped = Lease("10.5.2.0/24", 2), typed = Lease("10.5.3.0/24", 3);
        untyped = untyped with { Subnet = untyped.Subnet with { Ipv6 = IPNetwork.Parse("fd05:0:0:2::/64") }, Attributes = untyped.Attributes with { BackendType = "" } };
        List<string> failures = [];
        PeerLeaseSelector ipv4 = new(null, AddressFamily.InterNetwork, IPNetwork.Parse("10.5.0.0/16"), IPNetwork.Parse("10.5.1.0/24"));
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], ipv4.Select([ours, untyped, typed], failures).Select(lease => $"{lease.Subnet}"));
        PeerLeaseSelector ipv6 = new(null, AddressFamily.InterNetworkV6, IPNetwork.Parse("fd05::/48"), IPNetwork.Parse("fd05:0:0:1::/64")) { Underlay = AddressFamily.InterNetwork };
        PeerLease chosen = Assert.Single(ipv6.Select([ours, untyped, typed], failures));
        Assert.Equal(("fd05:0:0:2::/64", untyped.Attributes.PublicIP), ($"{chosen.Subnet}", chosen.PublicIP));
        Assert.Empty(failures);
    }

    [Theory]
    [InlineData("10.6.0.0/24", "192.0.2.2", "lease 10.6.0.0/24: it is outside the network 10.5.0.0/16")]
    [InlineData("0.0.0.0/0", "192.0.2.2", "lease 0.0.0.0/0: it is outside the network 10.5.0.0/16")]
    [InlineData("10.5.0.0/16", "192.0.2.2", "lease 10.5.0.0/16: it overlaps this host's 10.5.1.0/24")]
    [InlineData("10.5.1.64/26", "192.0.2.2", "lease 10.5.1.64/26: it overlaps this host's 10.5.1.0/24")]
    [InlineData("10.5.2.0/24", "0.0.0.0", "lease 10.5.2.0/24: 0.0.0.0 cannot be the address of its host")]
    [InlineData("10.5.2.0/24", "127.0.0.2", "lease 10.5.2.0/24: 127.0.0.2 cannot be the address of its host")]
    [InlineData("10.5.2.0/24", "239.1.1.1", "lease 10.5.2.0/24: 239.1.1.1 cannot be the address of its host")]
    [InlineData("10.5.2.0/24", "2001:db8::2", "lease 10.5.2.0/24: 2001:db8::2 cannot be the address of its host")]
    [InlineData("10.5.2.0/24", "192.0.2.1", "lease 10.5.2.0/24: it claims this host's own address 192.0.2.1")]
    [InlineData("10.5.2.0/24", "10.5.2.1", "lease 10.5.2.0/24: the address of its host, 10.5.2.1, lies in it: packets to the host would go to the host for ever")]
    [InlineData("10.5.2.0/24", null, "lease 10.5.2.0/24: its host publishes no PublicIP")]
    public void What_cannot_be_is_refused_in_one_sentence(string subnet, string? publicIP, string sentence)
    {
        Lease lease = Lease(subnet, 2);
        lease = lease with { Attributes = lease.Attributes with { PublicIP = publicIP is null ? null : IPAddress.Parse(publicIP) } };
        (string[] chosen, string[] failures) = Select(lease, Lease("10.5.9.0/24", 9));
        Assert.Equal(["10.5.9.0/24"], chosen);
        Assert.Equal([sentence], failures);
    }

    [Fact]
    public void Of_leases_that_overlap_the_oldest_wins_and_a_loser_harms_nobody()
    {
        (string[] chosen, string[] failures) = Select(
            Lease("10.5.16.0/20", 20), Lease("10.5.17.0/24", 10), Lease("10.5.18.0/24", 30), Lease("10.5.17.128/25", 40), Lease("10.5.32.0/20", 11), Lease("10.5.33.0/24", 12));
        // 10.5.18.0/24 overlaps only 10.5.16.0/20, which has lost already.
        Assert.Equal(["10.5.17.0/24", "10.5.18.0/24", "10.5.32.0/20"], chosen.Order(StringComparer.Ordinal));
        Assert.Equal(
        [
            "lease 10.5.16.0/20: it overlaps the older lease 10.5.17.0/24",
            "lease 10.5.17.128/25: it overlaps the older lease 10.5.17.0/24",
            "lease 10.5.33.0/24: it overlaps the older lease 10.5.32.0/20",
        ], failures.Order(StringComparer.Ordinal));
    }

    /// <summary>Against the slow twin: every pair compared, oldest first.</summary>
    [Fact]
    public void Random_leases_are_chosen_as_by_comparing_each_with_each()
    {
        Random random = new(4711);
        for (int round = 0; round < 200; round++)
        {
            Lease[] leases = [.. Enumerable.Range(0, 40).Select(i =>
            {
                int length = random.Next(17, 31);
                uint address = 0x0a050000u | ((uint)random.Next(1 << 16) & (uint.MaxValue << (32 - length)));
                return Lease($"{new IPAddress([(byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address])}/{length}", random.Next(1000) * 100 + i);
            }).Where(lease => !Overlap(lease.Subnet.Ipv4!.Value, IPNetwork.Parse("10.5.1.0/24")))];
            List<IPNetwork> expected = [];
            foreach (Lease lease in leases.OrderBy(lease => lease.CreateRevision))
            {
                if (!expected.Exists(older => Overlap(older, lease.Subnet.Ipv4!.Value))) expected.Add(lease.Subnet.Ipv4!.Value);
            }
            Assert.Equal(expected.Select(subnet => $"{subnet}"), Select(leases).Chosen);
        }

        static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);
    }

    private static (string[] Chosen, string[] Failures) Select(params Lease[] leases)
    {
        List<string> failures = [];
        PeerLeaseSelector selector = new("vxlan", AddressFamily.InterNetwork, IPNetwork.Parse("10.5.0.0/16"), IPNetwork.Parse("10.5.1.0/24"), IPAddress.Parse("192.0.2.1"), null);
        return ([.. selector.Select(leases, failures).Select(peer => $"{peer.Subnet}")], [.. failures]);
    }

    private static Lease Lease(string subnet, long revision) => new()
    {
        Subnet = new(IPNetwork.Parse(subnet)),
        Attributes = new() { PublicIP = IPAddress.Parse("192.0.2.2"), BackendType = "vxlan" },
        ExpiresAt = null,
        CreateRevision = revision,
        ModRevision = revision,
    };
}
