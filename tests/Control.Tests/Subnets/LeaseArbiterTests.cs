using System.Net;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class LeaseArbiterTests
{
    private const string OurMac = "02:00:00:00:00:01";

    [Theory]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.3"}""", null)]
    [InlineData("10.5.3.0-25", """{"PublicIP":"192.0.2.3"}""", null)]
    [InlineData("10.5.3.0-24", """{"PublicIP":"127.0.0.3"}""", null)]
    [InlineData("10.5.3.0-24&fc00::-64", """{"PublicIP":"192.0.2.3","PublicIPv6":"fd00::3"}""", null)]
    [InlineData("0.0.0.0-0&fc00::-64", """{"PublicIP":"192.0.2.3"}""", "is of a family that the network has not")]
    [InlineData("10.6.3.0-24", """{"PublicIP":"192.0.2.3"}""", "is outside the network 10.5.0.0/16")]
    [InlineData("10.0.0.0-8", """{"PublicIP":"192.0.2.3"}""", "is outside the network 10.5.0.0/16")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"0.0.0.0"}""", "has no PublicIP")]
    [InlineData("10.5.3.0-24", """{}""", "has no PublicIP")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"224.0.0.1"}""", "has the PublicIP 224.0.0.1, at which no host can be")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"255.255.255.255"}""", "has the PublicIP 255.255.255.255, at which no host can be")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"0.1.2.3"}""", "has the PublicIP 0.1.2.3, at which no host can be")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.3","PublicIPv6":"ff02::1"}""", "has the PublicIP ff02::1, at which no host can be")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"10.5.3.7"}""", "has the PublicIP 10.5.3.7, which lies inside its own subnet")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.3","BackendType":"vxlan","BackendData":{"VtepMAC":"ff:ff:ff:ff:ff:ff"}}""", "has the VtepMAC ff:ff:ff:ff:ff:ff, which no host can have")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.3","BackendType":"vxlan","BackendData":{"VtepMAC":"00:00:00:00:00:00"}}""", "has the VtepMAC 00:00:00:00:00:00, which no host can have")]
    // Against this host and a peer that was there first.
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.1"}""", "has the address 192.0.2.1 of this host")]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.3","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}""", "has the VtepMAC 02:00:00:00:00:01 of this host")]
    [InlineData("10.5.1.0-25", """{"PublicIP":"192.0.2.3"}""", "overlaps 10.5.1.0/24 of 192.0.2.1, which was there first")]
    [InlineData("10.5.0.0-16", """{"PublicIP":"192.0.2.3"}""", "overlaps 10.5.1.0/24 of 192.0.2.1, which was there first")]
    [InlineData("10.5.2.128-25", """{"PublicIP":"192.0.2.3"}""", "overlaps 10.5.2.0/24 of 192.0.2.2, which was there first")]
    // A host may have more than one.
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.2"}""", null)]
    [InlineData("10.5.3.0-24", """{"PublicIP":"192.0.2.2","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:02"}}""", null)]
    public void A_lease_that_cannot_be_is_not_used_and_harms_nobody(string key, string value, string? reason) => VirtualLoop.Run(async time =>
    {
        foreach (bool before in new[] { true, false })
        {
            var rig = new StoreRig(time);
            await rig.Store.AcquireAsync(new(rig.Network, Vxlan("192.0.2.1", OurMac), Subnet("10.5.1.0/24")), CancellationToken.None);
            rig.Cluster.Put("them", "10.5.2.0-24", Encoding.UTF8.GetString(LeaseValue.Format(Vxlan("192.0.2.2", "02:00:00:00:00:02"))), Day);
            await using var log = new UpdateLog(rig);
            const string Good = "= 10.5.1.0/24@192.0.2.1 10.5.2.0/24@192.0.2.2";
            if (before) rig.Cluster.Put("them", key, value, Day);
            await log.PassAsync(1);
            if (!before)
            {
                Assert.Equal([Good], log.Take());
                rig.Cluster.Put("them", key, value, Day);
                await log.PassAsync(1);
                string[] single = log.Take();
                Assert.Equal(reason is null ? 1 : 0, single.Length);
            }
            await log.PassAsync(70);
            string[] lines = log.Take();
            if (reason is null) Assert.All(lines, line => Assert.StartsWith(Good + " ", line));
            else Assert.All(lines, line => Assert.Equal(Good, line));
            Assert.Equal(reason is null ? [] : [$"Warning: key \"{key}\" of the store is not used: it {reason}"], rig.Log.Lines.Where(line => line.StartsWith("Warning", StringComparison.Ordinal)));
        }
    });

    [Fact]
    public void When_the_first_goes_the_second_comes_and_when_an_older_one_shows_up_it_goes() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        await using var log = new UpdateLog(rig);
        await log.PassAsync(1);
        log.Take();
        rig.Put("10.5.2.0-24", "192.0.2.2");
        rig.Put("10.5.2.0-25", "192.0.2.3");
        rig.Put("10.5.2.64-26", "192.0.2.4");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.2.0/24@192.0.2.2"], log.Take());
        Assert.Equal(2, rig.Store.Statistics.Contested);
        // Renewals in the middle of a quarrel are just that.
        rig.Put("10.5.2.0-25", "192.0.2.3");
        rig.Put("10.5.2.0-24", "192.0.2.2");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.2.0/24@192.0.2.2"], log.Take());
        rig.Cluster.Delete("them", "10.5.2.0-24");
        await log.PassAsync(1);
        // Older than the quarter of it.
        Assert.Equal(["- 10.5.2.0/24", "+ 10.5.2.0/25@192.0.2.3"], log.Take());
        rig.Cluster.Delete("them", "10.5.2.0-25");
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.2.0/25", "+ 10.5.2.64/26@192.0.2.4"], log.Take());
        Assert.Equal(0, rig.Store.Statistics.Contested);
    });

    [Fact]
    public void A_host_that_came_back_with_its_mac_and_another_address_is_where_it_says_now() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        await rig.Store.AcquireAsync(new(rig.Network, Vxlan("192.0.2.1", OurMac), Subnet("10.5.1.0/24")), CancellationToken.None);
        await using var log = new UpdateLog(rig);
        Put("10.5.2.0-24", "192.0.2.2", "02:00:00:00:00:02");
        await log.PassAsync(1);
        log.Take();
        Put("10.5.3.0-24", "192.0.2.3", "02:00:00:00:00:02");
        // Whoever claims our MAC is never right.
        Put("10.5.4.0-24", "192.0.2.4", OurMac);
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.2.0/24", "+ 10.5.3.0/24@192.0.2.3"], log.Take());
        Assert.Equal(2, rig.Store.Statistics.Contested);
        await log.PassAsync(60);
        Assert.Equal(["= 10.5.1.0/24@192.0.2.1 10.5.3.0/24@192.0.2.3"], log.Take());
        rig.Cluster.Delete("them", "10.5.3.0-24");
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.3.0/24", "+ 10.5.2.0/24@192.0.2.2"], log.Take());

        void Put(string key, string address, string mac) => rig.Cluster.Put("them", key, Encoding.UTF8.GetString(LeaseValue.Format(Vxlan(address, mac))), Day);
    });

    /// <summary>
    /// SubnetLen was changed and the reservations of before are still there: each host holds a subnet of the new length besides, and must be reached there.
    /// </summary>
    [Fact]
    public void A_reservation_that_its_host_cannot_use_does_not_stand_in_the_way_of_its_lease() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/16","SubnetLen":25}""");
        rig.Cluster.Put("operator", "10.5.2.0-24", Value("192.0.2.2"), null);
        rig.Put("10.5.7.0-25", "192.0.2.2");
        await using var log = new UpdateLog(rig);
        await log.PassAsync(1);
        Assert.Equal(["= 10.5.2.0/24@192.0.2.2 10.5.7.0/25@192.0.2.2"], log.Take());
        Assert.Equal(0, rig.Store.Statistics.Contested);
    });

    [Fact]
    public void Our_own_lease_is_ours_whoever_was_first() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        await using var log = new UpdateLog(rig);
        rig.Put("10.5.1.0-25", "192.0.2.9");
        await log.PassAsync(1);
        Assert.Equal(["= 10.5.1.0/25@192.0.2.9"], log.Take());
        // An operator writes it for us; acquiring would refuse it.
        Lease own = await rig.AcquireAsync(previous: Subnet("10.5.3.0/24"));
        rig.Cluster.Put("them", "10.5.1.0-24", Value("192.0.2.1"), Day);
        await rig.Store.RenewAsync(own with { Subnet = Subnet("10.5.1.0/24"), ModRevision = rig.Cluster.Revision }, Host("192.0.2.1"), CancellationToken.None);
        await log.PassAsync(61);
        Assert.Equal("= 10.5.1.0/24@192.0.2.1", log.Take()[^1]);
    });

    // The way that follows effects must lead where judging everything by the plain rule leads, whatever happens in whatever order.
    [Fact]
    public void Single_changes_lead_where_the_plain_rule_leads()
    {
        var random = new Random(5);
        for (int round = 0; round < 500; round++)
        {
            var arbiter = new LeaseArbiter(new(NullLogger.Instance, new(new ManualTimeProvider())));
            var followed = new Dictionary<LeasedSubnet, Lease>();
            var present = new Dictionary<string, Lease>();
            OwnClaim? own = null;
            for (int step = 1; step < 60; step++)
            {
                var subnet = Subnet(random.Next(6) switch
                {
                    0 => $"10.5.{random.Next(6)}.{128 * random.Next(2)}/25",
                    1 => $"10.5.{2 * random.Next(3)}.0/23",
                    _ => $"10.5.{random.Next(6)}.0/24",
                }, random.Next(8) == 0 ? $"fc00:0:0:{random.Next(4)}::/64" : null);
                string key = SubnetKey.Format(subnet);
                if (random.Next(20) == 0) own = new("10.5.1.0-24", Vxlan($"192.0.2.{random.Next(8)}", OurMac));
                Lease? lease = random.Next(3) == 0 ? null : new()
                {
                    Subnet = subnet,
                    Attributes = Vxlan($"192.0.2.{random.Next(8)}", $"02:00:00:00:00:{random.Next(8):x2}"),
                    ExpiresAt = null,
                    CreateRevision = present.TryGetValue(key, out Lease? old) && random.Next(3) > 0 ? old.CreateRevision : step,
                    ModRevision = step,
                };
                if (lease is null) present.Remove(key);
                else present[key] = lease;
                var updates = new List<LeaseUpdate>();
                if (random.Next(30) == 0)
                {
                    arbiter.Reset(present, own);
                    followed = arbiter.Used.ToDictionary(used => used.Subnet);
                }
                else
                {
                    arbiter.Set(key, lease, own, updates);
                }
                foreach (LeaseUpdate update in updates)
                {
                    if (update is LeaseUpdate.Put put) followed[put.Lease.Subnet] = put.Lease;
                    else Assert.True(followed.Remove(((LeaseUpdate.Removed)update).Subnet));
                }
                List<string> expected = PlainRule(present, own);
                Assert.Equal(expected, followed.Values.Select(used => SubnetKey.Format(used.Subnet)).Order(StringComparer.Ordinal));
                Assert.Equal(expected, arbiter.Used.Select(used => SubnetKey.Format(used.Subnet)).Order(StringComparer.Ordinal));
                Assert.All(followed.Values, used => Assert.Same(present[SubnetKey.Format(used.Subnet)], used));
                Assert.Equal(present.Count - expected.Count, arbiter.Contested);
            }
        }
    }

    private static List<string> PlainRule(Dictionary<string, Lease> present, OwnClaim? own)
    {
        bool IsOwn(string key) => own is not null && key == own.Key && present[key].Attributes.PublicIP!.Equals(own.Attributes.PublicIP);
        var accepted = new List<string>();
        foreach (string key in present.Keys.OrderByDescending(IsOwn).ThenBy(key => present[key].CreateRevision).ThenBy(key => key, StringComparer.Ordinal))
        {
            LeaseAttributes attributes = present[key].Attributes;
            bool poses = own is not null && key != own.Key && (attributes.PublicIP!.Equals(own.Attributes.PublicIP) || Mac(attributes) == Mac(own.Attributes));
            if (!poses && !accepted.Exists(other => Overlap(present[other].Subnet, present[key].Subnet))) accepted.Add(key);
        }
        List<string> used = accepted.FindAll(key => present[WinnerOf(Mac(present[key].Attributes))].Attributes.PublicIP!.Equals(present[key].Attributes.PublicIP));
        used.Sort(StringComparer.Ordinal);
        return used;

        string WinnerOf(string mac)
        {
            List<string> holders = accepted.FindAll(key => Mac(present[key].Attributes) == mac);
            return IsOwn(holders[0]) ? holders[0] : holders[^1];
        }
    }

    private static string Mac(LeaseAttributes attributes) => attributes.BackendData.GetProperty("VtepMAC").GetString()!;

    private static bool Overlap(LeasedSubnet a, LeasedSubnet b) => Overlap(a.Ipv4, b.Ipv4) || Overlap(a.Ipv6, b.Ipv6);

    private static bool Overlap(IPNetwork? a, IPNetwork? b) =>
        a is { } left && b is { } right && (left.Contains(right.BaseAddress) || right.Contains(left.BaseAddress));
}
