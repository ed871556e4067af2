using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class LeaseKeeperTests
{
    private const string Key = "10.5.7.0-24";
    private static readonly LeaseKeeperOptions s_exit = new() { Policy = LeaseLostPolicy.Exit };

    [Theory]
    [InlineData(60, 22 * 60 + 55, 23 * 60)]
    [InlineData(1, 23 * 60 + 54, 23 * 60 + 59)]
    [InlineData(1439, 0.9, 1)]
    public void A_lease_is_renewed_in_time_for_weeks(int margin, double earliest, double latest) => Keep(new() { RenewMargin = TimeSpan.FromMinutes(margin) }, async host =>
    {
        var renewed = new List<double>();
        long last = host.Time.GetTimestamp();
        host.Cluster.Changed = change =>
        {
            Assert.NotNull(change.Entry);
            renewed.Add(host.Time.GetElapsedTime(last).TotalMinutes);
            last = host.Time.GetTimestamp();
        };
        int days = margin == 1439 ? 1 : 30;
        await Task.Delay(TimeSpan.FromDays(days), host.Time);
        Assert.All(renewed, minutes => Assert.InRange(minutes, earliest, latest));
        Assert.InRange(renewed.Count, days * 1440 / latest - 1, days * 1440 / earliest);
        LeaseKeeperStatus status = host.Keeper.Status;
        Assert.Equal(renewed.Count, status.Renewals);
        Assert.True(status.IsHeld);
        Assert.InRange(status.NextAttemptIn!.Value.TotalMinutes, -0.1, latest);
        Assert.Contains("Information: lease of 10.5.7.0/24 renewed, ends in 1440 minutes", host.Log.Lines);
    });

    [Fact]
    public void Hosts_that_start_together_do_not_renew_together() => VirtualLoop.Run(async time =>
    {
        var moments = new HashSet<long>();
        for (int i = 0; i < 50; i++)
        {
            await using var host = await KeeperHost.StartAsync(time, new(), seed: i);
            moments.Add((long)host.Keeper.Status.NextAttemptIn!.Value.TotalSeconds);
        }
        Assert.InRange(moments.Count, 30, 50);
    });

    [Fact]
    public void A_reservation_is_never_renewed_and_stays_for_weeks() => Keep(new(), async host =>
    {
        long revision = host.Cluster.Revision;
        Assert.True(host.Keeper.Own.IsReservation);
        Assert.Null(host.Keeper.Status.NextAttemptIn);
        await Task.Delay(TimeSpan.FromDays(30), host.Time);
        Assert.Equal(revision, host.Cluster.Revision);
        Assert.Null(host.Cluster.Read(Key)!.TimeToLive);
        // Published anew it stays one.
        host.Keeper.Publish(Host("192.0.2.99"));
        await Task.Delay(TimeSpan.FromSeconds(1), host.Time);
        Assert.Equal(Value("192.0.2.99"), host.Value);
        Assert.Null(host.Cluster.Read(Key)!.TimeToLive);
    }, reserved: true);

    [Fact]
    public void The_wall_clock_has_no_say() => Keep(new(), async host =>
    {
        foreach (int days in new[] { 3650, -7300, 1, -1 })
        {
            long revision = host.Cluster.Revision;
            host.Time.JumpWallClock(TimeSpan.FromDays(days));
            await Task.Delay(TimeSpan.FromHours(1), host.Time);
            Assert.Equal(revision, host.Cluster.Revision);
        }
        await Task.Delay(TimeSpan.FromHours(20), host.Time);
        Assert.Equal(1, host.Keeper.Status.Renewals);
    });

    [Fact]
    public void A_store_that_is_away_is_tried_soon_and_then_once_a_minute_in_few_words() => Keep(new(), async host =>
    {
        await Task.Delay(TimeSpan.FromHours(22.9), host.Time);
        host.Registry.IsAway = true;
        await Task.Delay(TimeSpan.FromHours(0.12), host.Time);
        var attempts = new List<double>();
        long start = host.Time.GetTimestamp();
        host.Registry.Inject = call =>
        {
            if (call == "ReadAsync") attempts.Add(host.Time.GetElapsedTime(start).TotalSeconds);
            return RegistryFault.None;
        };
        await Task.Delay(TimeSpan.FromMinutes(50), host.Time);
        Assert.InRange(attempts.Count, 49, 65);
        LeaseKeeperStatus status = host.Keeper.Status;
        Assert.InRange(status.FailedAttempts, 50, 70);
        Assert.Equal("the fake store is away", status.LastFailure);
        Assert.True(status.IsHeld);
        Assert.InRange(host.Log.Lines.Count(line => line.Contains("cannot be renewed")), 5, 8);

        host.Registry.IsAway = false;
        await Task.Delay(TimeSpan.FromSeconds(8.2), host.Time);
        Assert.Equal(0, host.Keeper.Status.FailedAttempts);
        Assert.InRange(host.Cluster.Read(Key)!.TimeToLive!.Value.TotalSeconds, 86_390, 86_400);
    });

    [Fact]
    public void Three_days_without_a_store_change_nothing_and_the_subnet_is_taken_again_within_seconds() => Keep(new(), async host =>
    {
        host.Registry.IsAway = true;
        await Task.Delay(TimeSpan.FromHours(72), host.Time);
        Assert.False(host.Running.IsCompleted);
        Assert.True(host.Keeper.Status.IsHeld);
        Assert.InRange(host.Keeper.Status.ExpiresIn!.Value.TotalHours, -48.1, -47.9);
        Assert.Single(host.Log.Lines, line => line.Contains("has run out as far as can be told from here"));
        Assert.Null(host.Value);
        host.Registry.IsAway = false;
        await Task.Delay(TimeSpan.FromSeconds(8.2), host.Time);
        Assert.Equal(Value("192.0.2.1"), host.Value);
        Assert.Equal(1, host.Keeper.Status.Reacquisitions);
        Assert.Contains("Information: lease of 10.5.7.0/24 taken again", host.Log.Lines);
    });

    [Fact]
    public void A_subnet_that_another_took_meanwhile_is_given_up_and_not_overwritten() => Keep(new(), async host =>
    {
        host.Registry.IsAway = true;
        await Task.Delay(TimeSpan.FromHours(25), host.Time);
        host.Cluster.Put("them", Key, Value("192.0.2.9"), Day);
        host.Registry.IsAway = false;
        await Task.Delay(TimeSpan.FromSeconds(8.2), host.Time);
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => host.Running);
        Assert.Equal("the lease of 10.5.7.0/24 belongs to 192.0.2.9 now", lost.Message);
        Assert.False(host.Keeper.Status.IsHeld);
        Assert.Equal(Value("192.0.2.9"), host.Value);
        Assert.Equal([Key], host.Keys);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_deleted_key_is_noticed_at_once_and_the_policy_decides(bool exit) => Keep(exit ? s_exit : new(), async host =>
    {
        host.Cluster.Delete("them", Key);
        await Task.Delay(TimeSpan.FromSeconds(1.1), host.Time);
        if (exit)
        {
            LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => host.Running);
            Assert.Equal("the lease of 10.5.7.0/24 is gone from the store", lost.Message);
            Assert.Null(host.Value);
        }
        else
        {
            Assert.Equal(Value("192.0.2.1"), host.Value);
            Assert.True(host.Keeper.Status.IsHeld);
        }
    });

    [Fact]
    public void A_deletion_that_the_watch_missed_is_found_by_the_next_full_read() => Keep(new(), async host =>
    {
        host.Registry.InjectChange = _ => ChangeFault.Lost;
        host.Cluster.Delete("them", Key);
        await Task.Delay(TimeSpan.FromSeconds(62), host.Time);
        Assert.Equal(Value("192.0.2.1"), host.Value);
    });

    [Fact]
    public void An_overwritten_key_is_noticed_at_once() => Keep(new(), async host =>
    {
        host.Cluster.Put("them", Key, Value("192.0.2.9"), Day);
        await Task.Delay(TimeSpan.FromSeconds(1.1), host.Time);
        await Assert.ThrowsAsync<LeaseLostException>(() => host.Running);
        Assert.Equal(Value("192.0.2.9"), host.Value);
    });

    [Fact]
    public void A_loss_that_is_known_is_sat_out_for_the_grace_only() => Keep(new(), async host =>
    {
        host.Registry.Inject = call => call is "CreateAsync" or "ListAsync" ? RegistryFault.NoRequest : RegistryFault.None;
        host.Cluster.Delete("them", Key);
        await Task.Delay(TimeSpan.FromMinutes(4.9), host.Time);
        Assert.False(host.Running.IsCompleted);
        Assert.False(host.Keeper.Status.IsHeld);
        await Task.Delay(TimeSpan.FromMinutes(0.2), host.Time);
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => host.Running);
        Assert.Equal("the lease of 10.5.7.0/24 is gone from the store, and the store did not let it be taken again within 300 s: the fake store is away", lost.Message);
    });

    [Fact]
    public void Who_is_faster_keeps_it_and_we_take_no_other() => Keep(new(), async host =>
    {
        host.Registry.Inject = call =>
        {
            if (call == "CreateAsync" && host.Value is null) host.Cluster.Put("them", Key, Value("192.0.2.9"), Day);
            return RegistryFault.None;
        };
        host.Cluster.Delete("them", Key);
        await Task.Delay(TimeSpan.FromSeconds(2), host.Time);
        LeaseLostException lost = await Assert.ThrowsAsync<LeaseLostException>(() => host.Running);
        Assert.Equal("the lease of 10.5.7.0/24 is gone from the store, and it cannot be taken again: 10.5.7.0/24 is not to be had: another host has it", lost.Message);
        Assert.Equal([Key], host.Keys);
    });

    [Fact]
    public void Other_attributes_are_published_at_once_or_as_soon_as_the_store_answers() => Keep(new(), async host =>
    {
        host.Keeper.Publish(Vxlan("192.0.2.50", "02:00:00:00:00:01"));
        await Task.Delay(TimeSpan.FromSeconds(0.1), host.Time);
        Assert.Equal("""{"PublicIP":"192.0.2.50","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}""", host.Value);
        Assert.Contains("Information: lease of 10.5.7.0/24 published anew", host.Log.Lines);

        host.Registry.IsAway = true;
        host.Keeper.Publish(Vxlan("192.0.2.50", "02:00:00:00:00:02"));
        await Task.Delay(TimeSpan.FromMinutes(30), host.Time);
        host.Keeper.Publish(Vxlan("192.0.2.50", "02:00:00:00:00:03"));
        host.Registry.IsAway = false;
        await Task.Delay(TimeSpan.FromSeconds(8.2), host.Time);
        Assert.Contains("02:00:00:00:00:03", host.Value);
        Assert.Equal(Vxlan("192.0.2.50", "02:00:00:00:00:03"), host.Keeper.Own.Attributes);
        long revision = host.Cluster.Revision;
        host.Keeper.Publish(Vxlan("192.0.2.50", "02:00:00:00:00:03"));
        await Task.Delay(TimeSpan.FromSeconds(10), host.Time);
        Assert.Equal(revision, host.Cluster.Revision);
    });

    [Fact]
    public void An_address_that_changes_twice_while_answers_are_lost_ends_as_the_last() => Keep(new(), async host =>
    {
        host.Registry.Inject = call => call == "ReplaceAsync" ? RegistryFault.NoAnswer : RegistryFault.None;
        host.Keeper.Publish(Host("192.0.2.50"));
        await Task.Delay(TimeSpan.FromSeconds(0.5), host.Time);
        Assert.Equal(Value("192.0.2.50"), host.Value);
        host.Keeper.Publish(Host("192.0.2.51"));
        host.Registry.Inject = _ => RegistryFault.None;
        await Task.Delay(TimeSpan.FromSeconds(10), host.Time);
        Assert.Equal(Value("192.0.2.51"), host.Value);
        Assert.False(host.Running.IsCompleted);
    });

    [Fact]
    public void What_an_operator_does_to_the_key_in_our_name_is_taken_over() => Keep(new(), async host =>
    {
        host.Cluster.Put("them", Key, Value("192.0.2.1"), TimeSpan.FromHours(2));
        await Task.Delay(TimeSpan.FromHours(1.1), host.Time);
        Assert.InRange(host.Cluster.Read(Key)!.TimeToLive!.Value.TotalHours, 23.7, 24);
        host.Cluster.Put("them", Key, Value("192.0.2.1"), null);
        await Task.Delay(TimeSpan.FromDays(3), host.Time);
        Assert.True(host.Keeper.Own.IsReservation);
        Assert.Null(host.Cluster.Read(Key)!.TimeToLive);
    });

    [Fact]
    public void A_renewal_that_a_restored_store_forgot_is_made_again() => Keep(new(), async host =>
    {
        await Task.Delay(TimeSpan.FromHours(22), host.Time);
        FakeStore.State backup = host.Cluster.Copy();
        await Task.Delay(TimeSpan.FromHours(1), host.Time);
        Assert.Equal(1, host.Keeper.Status.Renewals);
        host.Cluster.Restore(backup);
        Assert.InRange(host.Cluster.Read(Key)!.TimeToLive!.Value.TotalHours, 0.9, 2.1);
        await Task.Delay(TimeSpan.FromSeconds(70), host.Time);
        Assert.InRange(host.Cluster.Read(Key)!.TimeToLive!.Value.TotalHours, 23.9, 24);
    });

    [Fact]
    public void Cancelling_ends_the_keeper_and_leaves_the_lease() => Keep(new(), async host =>
    {
        host.Stop();
        await host.Running;
        Assert.Equal(Value("192.0.2.1"), host.Value);
    });

    private static void Keep(LeaseKeeperOptions options, Func<KeeperHost, Task> body, bool reserved = false) => VirtualLoop.Run(async time =>
    {
        await using KeeperHost host = await KeeperHost.StartAsync(time, options, reserved);
        await Task.Delay(TimeSpan.FromSeconds(1), time);
        await body(host);
    });
}
