using System.Net;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class AcquireTests
{
    [Fact]
    public void A_new_host_gets_one_of_the_first_hundred_free_subnets_for_24_hours() => VirtualLoop.Run(async time =>
    {
        var seen = new HashSet<string>();
        for (int seed = 0; seed < 400; seed++)
        {
            var rig = new StoreRig(time, seed: seed);
            rig.Put("10.5.2.0-24", "192.0.2.9");
            Lease lease = await rig.AcquireAsync();
            Assert.Equal(Value("192.0.2.1"), rig.ValueOf(SubnetKey.Format(lease.Subnet)));
            Assert.Equal(Day, time.Until(lease.ExpiresAt!.Value));
            Assert.Equal(Day, rig.Cluster.Read(SubnetKey.Format(lease.Subnet))!.TimeToLive);
            seen.Add(lease.Subnet.ToString());
        }
        // 10.5.0.0 is left out, 10.5.2.0 taken: 10.5.1.0 and 10.5.3.0 to 10.5.101.0 remain.
        Assert.All(seen, subnet => Assert.InRange(IPNetwork.Parse(subnet).BaseAddress.GetAddressBytes()[2], 1, 101));
        Assert.InRange(seen.Count, 90, 100);
        Assert.DoesNotContain("10.5.2.0/24", seen);
    });

    [Fact]
    public void The_lease_that_names_the_host_is_kept_and_written_anew() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Put("10.5.7.0-24", "192.0.2.1", TimeSpan.FromHours(3));
        rig.Put("10.5.8.0-24", "192.0.2.2");
        Lease lease = await rig.Store.AcquireAsync(new(rig.Network, Vxlan("192.0.2.1", "02:00:00:00:00:01"), Subnet("10.5.9.0/24")), CancellationToken.None);
        Assert.Equal(Subnet("10.5.7.0/24"), lease.Subnet);
        Assert.Equal(Day, time.Until(lease.ExpiresAt!.Value));
        Assert.Equal("""{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}""", rig.ValueOf("10.5.7.0-24"));
        Assert.Equal(["10.5.7.0-24", "10.5.8.0-24"], rig.Keys);
        Assert.Equal(["Information: lease of 10.5.7.0/24 found for 192.0.2.1, keeping it"], rig.Log.Lines);
    });

    [Fact]
    public void The_same_host_gets_the_same_subnet_again_and_after_a_new_config_one_that_fits() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Lease first = await rig.AcquireAsync(), second = await rig.AcquireAsync();
        Assert.Equal(first.Subnet, second.Subnet);
        Assert.Equal(first.CreateRevision, second.CreateRevision);

        Lease third = await rig.Store.AcquireAsync(new(Parse("""{"Network":"10.5.0.0/16","SubnetLen":26}"""), Host("192.0.2.1"), null), CancellationToken.None);
        Assert.Equal(26, third.Subnet.Ipv4!.Value.PrefixLength);
        Assert.Equal([SubnetKey.Format(third.Subnet)], rig.Keys);
        Assert.Contains(rig.Log.Lines, line => line.EndsWith("cannot be used: it does not fit the network config; it is deleted", StringComparison.Ordinal));
    });

    [Theory]
    [InlineData("10.5.0.0-24")]
    [InlineData("10.5.7.0-25")]
    [InlineData("10.5.200.0-24")]
    [InlineData("10.5.7.0-24&fc00::-64")]
    public void An_own_lease_that_does_not_fit_is_deleted(string key) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/16","SubnetMax":"10.5.100.0"}""");
        rig.Put(key, "192.0.2.1");
        Lease lease = await rig.AcquireAsync();
        Assert.Equal([SubnetKey.Format(lease.Subnet)], rig.Keys);
        Assert.NotEqual(key, rig.Keys[0]);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_reservation_keeps_no_time_to_live(bool timesKnownAtFirst) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Put("10.5.7.0-24", "192.0.2.1", null);
        if (!timesKnownAtFirst) rig.Registry.Inject = call => call == "ListAsync" ? RegistryFault.TimeToLiveUnknown : RegistryFault.None;
        Lease lease = await rig.AcquireAsync();
        Assert.True(lease.IsReservation);
        Assert.Null(rig.Cluster.Read("10.5.7.0-24")!.TimeToLive);
        lease = await rig.Store.RenewAsync(lease, Host("192.0.2.1"), CancellationToken.None);
        Assert.True(lease.IsReservation);
        Assert.Null(rig.Cluster.Read("10.5.7.0-24")!.TimeToLive);
        await rig.Store.ReleaseAsync(lease, CancellationToken.None);
        Assert.Equal(["10.5.7.0-24"], rig.Keys);
    });

    [Fact]
    public void Whether_a_key_is_a_reservation_is_never_guessed() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Put("10.5.7.0-24", "192.0.2.1", null);
        rig.Registry.Inject = _ => RegistryFault.TimeToLiveUnknown;
        long revision = rig.Cluster.Revision;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => rig.AcquireAsync());
        Assert.Equal(revision, rig.Cluster.Revision);
    });

    [Fact]
    public void A_reservation_that_does_not_fit_is_left_alone() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Put("10.5.0.0-24", "192.0.2.1", null);
        Lease lease = await rig.AcquireAsync();
        Assert.False(lease.IsReservation);
        Assert.Equal(2, rig.Keys.Length);
        Assert.Contains(rig.Log.Lines, line => line.EndsWith("it has no time to live and is left alone", StringComparison.Ordinal));
    });

    [Fact]
    public void The_previous_subnet_is_taken_again_if_nobody_has_it() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        Assert.Equal(Subnet("10.5.233.0/24"), (await rig.AcquireAsync(previous: Subnet("10.5.233.0/24"))).Subnet);
    });

    [Theory]
    [InlineData("10.5.33.0-24", "10.5.33.0/24", "another host has it")]
    [InlineData("10.5.33.128-25", "10.5.33.0/24", "another host has it")]
    [InlineData("10.5.32.0-21", "10.5.33.0/24", "another host has it")]
    [InlineData(null, "10.5.0.0/24", "it does not fit the network config")]
    [InlineData(null, "10.6.1.0/24", "it does not fit the network config")]
    [InlineData(null, "10.5.33.0/25", "it does not fit the network config")]
    public void The_previous_subnet_is_never_taken_from_another(string? taken, string previous, string reason) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        if (taken is not null) rig.Put(taken, "192.0.2.9");
        Lease lease = await rig.AcquireAsync(previous: Subnet(previous));
        Assert.NotEqual(Subnet(previous), lease.Subnet);
        if (taken is not null) Assert.Equal(Value("192.0.2.9"), rig.ValueOf(taken));
        Assert.Contains($"Warning: subnet {previous}, which this host had before, is not taken again: {reason}", rig.Log.Lines);
    });

    [Fact]
    public void Of_several_leases_of_one_host_the_previous_stays_and_only_those_with_a_time_to_live_go() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Put("10.5.7.0-24", "192.0.2.1");
        rig.Put("10.5.8.0-24", "192.0.2.1", null);
        rig.Put("10.5.9.0-24", "192.0.2.1");
        Assert.Equal(Subnet("10.5.9.0/24"), (await rig.AcquireAsync(previous: Subnet("10.5.9.0/24"))).Subnet);
        Assert.Equal(["10.5.8.0-24", "10.5.9.0-24"], rig.Keys);
        // Without one to remember, what the operator reserved comes first.
        Assert.Equal(Subnet("10.5.8.0/24"), (await rig.AcquireAsync()).Subnet);
    });

    [Fact]
    public void Whatever_stands_under_a_subnets_name_takes_it_and_what_lies_outside_takes_nothing() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/22"}""");
        rig.Cluster.Put("them", "10.5.1.0-24", "garbage", null);
        rig.Cluster.Put("them", "10.5.2.0-24", "", null);
        rig.Put("0.0.0.0-1", "192.0.2.9");
        rig.Put("10.5.3.0-24x", "192.0.2.9");
        Assert.Equal(Subnet("10.5.3.0/24"), (await rig.AcquireAsync()).Subnet);
        LeaseException error = await Assert.ThrowsAsync<LeaseException>(() => rig.AcquireAsync("192.0.2.2"));
        Assert.Equal("out of subnets", error.Message);
    });

    [Fact]
    public void Who_loses_a_race_picks_again() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/22"}""");
        int races = 0;
        rig.Registry.Inject = call =>
        {
            // Just before each of our first two creations another host takes what was free when we looked.
            if (call == "CreateAsync" && races < 2) rig.Put($"10.5.{++races}.0-24", $"192.0.2.{10 + races}");
            return RegistryFault.None;
        };
        Assert.Equal(Subnet("10.5.3.0/24"), (await rig.AcquireAsync()).Subnet);
        Assert.Equal(Value("192.0.2.11"), rig.ValueOf("10.5.1.0-24"));
    });

    [Fact]
    public void Of_two_that_overlap_in_part_who_came_later_withdraws() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/16","SubnetMax":"10.5.1.0","EnableIPv6":true,"IPv6Network":"fc00::/48"}""");
        bool raced = false;
        rig.Registry.Inject = call =>
        {
            // The same IPv4 subnet under another name: no create-if-absent notices.
            if (call == "CreateAsync" && !raced) rig.Put("10.5.1.0-24&fc00:0:0:aaaa::-64", "192.0.2.9");
            raced |= call == "CreateAsync";
            return RegistryFault.None;
        };
        await Assert.ThrowsAsync<LeaseException>(() => rig.AcquireAsync());
        Assert.Equal(["10.5.1.0-24&fc00:0:0:aaaa::-64"], rig.Keys);
    });

    [Fact]
    public void An_answer_that_was_lost_costs_no_second_subnet() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Registry.Inject = call => call == "CreateAsync" ? RegistryFault.NoAnswer : RegistryFault.None;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => rig.AcquireAsync());
        Lease lease = await rig.AcquireAsync();
        Assert.Equal([SubnetKey.Format(lease.Subnet)], rig.Keys);
    });

    [Fact]
    public void Dual_stack_takes_both_and_Ipv6_alone_the_one() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.5.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48"}""");
        Lease both = await rig.AcquireAsync();
        Assert.Equal(24, both.Subnet.Ipv4!.Value.PrefixLength);
        Assert.Equal(64, both.Subnet.Ipv6!.Value.PrefixLength);
        Assert.Equal([SubnetKey.Format(both.Subnet)], rig.Keys);

        // Stock cannot: its key is 0.0.0.0-0 and its allocator never ends.
        rig = new StoreRig(time, """{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48"}""");
        var host = new LeaseAttributes { PublicIP = null, PublicIPv6 = IPAddress.Parse("fd00::1") };
        Lease alone = await rig.Store.AcquireAsync(new(rig.Network, host, null), CancellationToken.None);
        Assert.Null(alone.Subnet.Ipv4);
        Assert.StartsWith("0.0.0.0-0&fc00:", rig.Keys[0]);
        Assert.Equal(alone.Subnet, (await rig.Store.AcquireAsync(new(rig.Network, host, null), CancellationToken.None)).Subnet);
        rig.Put("0.0.0.0-0&fc00:0:0:9::-64", "192.0.2.9");
        var other = new LeaseAttributes { PublicIP = null, PublicIPv6 = IPAddress.Parse("fd00::2") };
        Assert.NotEqual(alone.Subnet, (await rig.Store.AcquireAsync(new(rig.Network, other, null), CancellationToken.None)).Subnet);
    });

    [Fact]
    public void A_thousand_hosts_share_out_a_thousand_subnets() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time, """{"Network":"10.0.0.0/8","SubnetMin":"10.1.0.0","SubnetMax":"10.4.231.0"}""");
        var random = new Random(3);
        long start = time.GetTimestamp();
        Lease[] leases = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i =>
        {
            var registry = new FakeRegistry(rig.Cluster, time) { Latency = () => TimeSpan.FromMilliseconds(random.Next(1, 20)) };
            var store = new RegistrySubnetStore(registry, time, new(i), rig.Log);
            return store.AcquireAsync(new(rig.Network, Host($"172.16.{i / 250}.{1 + i % 250}"), null), CancellationToken.None);
        }));
        Assert.Equal(1000, leases.Select(lease => lease.Subnet).Distinct().Count());
        Assert.Equal(1000, rig.Keys.Length);
        Assert.InRange(time.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<LeaseException>(() => rig.AcquireAsync("172.17.0.1"));
    });
}
