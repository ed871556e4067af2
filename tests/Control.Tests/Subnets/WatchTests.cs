using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class WatchTests
{
    [Fact]
    public void A_watch_begins_with_all_leases_and_goes_on_with_their_changes() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        rig.Put("10.5.2.0-24", "192.0.2.2", null);
        await log.PassAsync(1);
        Assert.Equal(["= 10.5.1.0/24@192.0.2.1 10.5.2.0/24@192.0.2.2"], log.Take());
        rig.Put("10.5.3.0-24", "192.0.2.3");
        rig.Put("10.5.1.0-24", "192.0.2.1");
        rig.Cluster.Delete("them", "10.5.2.0-24");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.3.0/24@192.0.2.3", "+ 10.5.1.0/24@192.0.2.1", "- 10.5.2.0/24"], log.Take());
    });

    [Fact]
    public void All_leases_are_read_again_about_once_a_minute() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        await log.PassAsync(3600);
        Assert.InRange(log.Take().Length, 60, 80);
        Assert.InRange(rig.Store.Statistics.Lists, 60, 80);
        Assert.Empty(rig.Log.Lines);
    });

    [Fact]
    public void What_the_stream_swallows_the_next_full_read_brings() => Watch(async (rig, log) =>
    {
        await log.PassAsync(1);
        log.Take();
        rig.Registry.InjectChange = _ => ChangeFault.Lost;
        rig.Put("10.5.1.0-24", "192.0.2.1");
        await log.PassAsync(60);
        Assert.Equal("= 10.5.1.0/24@192.0.2.1", log.Take()[0]);
        rig.Cluster.Delete("them", "10.5.1.0-24");
        await log.PassAsync(60);
        Assert.Equal("= ", log.Take()[^1]);
    });

    /// <summary>What a full read has seen is told by revision: the first of several changes of the next one are not of that time.</summary>
    [Fact]
    public void Several_changes_of_one_revision_are_taken_right_after_a_full_read() => Watch(async (rig, log) =>
    {
        foreach (int n in (int[])[1, 2, 3]) rig.Put($"10.5.{n}.0-24", $"192.0.2.{n}");
        await log.PassAsync(1);
        log.Take();
        rig.Cluster.DeleteTogether("operator", "10.5.1.0-24", "10.5.2.0-24", "10.5.3.0-24");
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.1.0/24", "- 10.5.2.0/24", "- 10.5.3.0/24"], log.Take());
    });

    /// <summary>The stream breaks in the middle of a revision: what follows on another one begins with what was missed.</summary>
    [Fact]
    public void A_revision_of_which_only_a_part_came_through_is_asked_for_again() => Watch(async (rig, log) =>
    {
        foreach (int n in (int[])[1, 2, 3]) rig.Put($"10.5.{n}.0-24", $"192.0.2.{n}");
        await log.PassAsync(1);
        log.Take();
        bool isBroken = false;
        rig.Registry.InjectChange = change => change.Key == "10.5.2.0-24" && !isBroken && (isBroken = true) ? ChangeFault.Broken : ChangeFault.None;
        rig.Cluster.DeleteTogether("operator", "10.5.1.0-24", "10.5.2.0-24", "10.5.3.0-24");
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.1.0/24", "- 10.5.2.0/24", "- 10.5.3.0/24"], log.Take());
        Assert.True(isBroken);
    });

    [Fact]
    public void Repeated_and_late_changes_do_no_harm() => Watch(async (rig, log) =>
    {
        await log.PassAsync(1);
        log.Take();
        rig.Registry.InjectChange = change => change.Entry is { } entry && entry.Value.Length < 60 && entry.Key == "10.5.1.0-24" ? ChangeFault.Late : ChangeFault.Twice;
        rig.Cluster.Put("them", "10.5.1.0-24", """{"PublicIP":"192.0.2.7"}""", Day);
        rig.Cluster.Put("them", "10.5.1.0-24", """{"PublicIP":"192.0.2.8",                                       "PublicIPv6":null}""", Day);
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.1.0/24@192.0.2.8"], log.Take());
        rig.Cluster.Put("them", "10.5.1.0-24", """{"PublicIP":"192.0.2.9"}""", Day);
        rig.Cluster.Delete("them", "10.5.1.0-24");
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.1.0/24"], log.Take());
        Assert.Equal(4, rig.Store.Statistics.StaleChanges);
    });

    [Fact]
    public void An_outage_changes_nothing_and_is_spoken_of_twice() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1", null);
        await log.PassAsync(1);
        log.Take();
        rig.Registry.IsAway = true;
        rig.Put("10.5.2.0-24", "192.0.2.2", null);
        int calls = rig.Registry.Calls.Count;
        await log.PassAsync(300);
        Assert.Empty(log.Take());
        Assert.False(rig.Store.Statistics.IsReachable);
        // A read and a watch every 2.5 to 5 seconds, once the waits have grown.
        Assert.InRange(rig.Registry.Calls.Count - calls, 120, 260);
        rig.Registry.IsAway = false;
        await log.PassAsync(5.1);
        Assert.Equal("= 10.5.1.0/24@192.0.2.1 10.5.2.0/24@192.0.2.2", log.Take()[0]);
        Assert.True(rig.Store.Statistics.IsReachable);
        Assert.Collection(rig.Log.Lines,
            line => Assert.Equal("Warning: the store does not answer, going on with the leases known and trying again: the fake store is away", line),
            line => Assert.Matches("^Information: the store answers again, after 30[0-5] s$", line));
    });

    [Fact]
    public void An_outage_at_the_start_is_waited_out() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Registry.IsAway = true;
        await using var log = new UpdateLog(rig);
        await log.PassAsync(60);
        Assert.Empty(log.Take());
        rig.Registry.IsAway = false;
        await log.PassAsync(5.1);
        Assert.Equal(["= "], log.Take());
    });

    [Fact]
    public void A_stream_that_broke_goes_on_where_it_was_without_a_word() => Watch(async (rig, log) =>
    {
        await log.PassAsync(1);
        log.Take();
        rig.Registry.BreakWatches();
        rig.Put("10.5.1.0-24", "192.0.2.1");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.1.0/24@192.0.2.1"], log.Take());
        Assert.Empty(rig.Log.Lines);
    });

    [Fact]
    public void A_stream_that_breaks_each_time_does_not_spin() => Watch(async (rig, log) =>
    {
        rig.Registry.Inject = call => call == "WatchAsync" ? RegistryFault.NoRequest : RegistryFault.None;
        await log.PassAsync(600);
        Assert.InRange(rig.Registry.Calls.Count, 100, 800);
        // Nothing is lost for that: each new attempt begins with a full read.
        rig.Put("10.5.1.0-24", "192.0.2.1");
        log.Take();
        await log.PassAsync(11);
        Assert.Equal("= 10.5.1.0/24@192.0.2.1", log.Take()[0]);
        Assert.InRange(rig.Log.Lines.Length, 1, 3);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Compaction_is_got_over_in_two_seconds_and_few_words(bool compactsAgain) => Watch(async (rig, log) =>
    {
        await log.PassAsync(1);
        log.Take();
        rig.Registry.InjectChange = _ => ChangeFault.Broken;
        rig.Put("10.5.1.0-24", "192.0.2.1");
        rig.Cluster.Compact();
        rig.Registry.InjectChange = _ => ChangeFault.None;
        rig.Registry.BreakWatches();
        int lost = 0;
        rig.Registry.Inject = call => call == "WatchAsync" && lost++ < 3 ? compactsAgain ? RegistryFault.HistoryLost : RegistryFault.NoRequest : RegistryFault.None;
        await log.PassAsync(2);
        Assert.Contains("= 10.5.1.0/24@192.0.2.1", log.Take());
        await log.PassAsync(5);
        log.Take();
        rig.Put("10.5.2.0-24", "192.0.2.2");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.2.0/24@192.0.2.2"], log.Take());
        Assert.InRange(rig.Log.Lines.Length, 0, 4);
    });

    [Fact]
    public void A_history_that_is_lost_for_ever_does_not_spin_and_does_not_fill_the_log() => Watch(async (rig, log) =>
    {
        rig.Registry.Inject = call => call == "WatchAsync" ? RegistryFault.HistoryLost : RegistryFault.None;
        await log.PassAsync(3600);
        Assert.InRange(rig.Registry.Calls.Count, 1000, 3600);
        Assert.InRange(rig.Log.Lines.Length, 1, 7);
        Assert.True(rig.Store.Statistics.HistoryLost > 500);
    });

    [Fact]
    public void A_member_that_lags_removes_nobody() => Watch(async (rig, log) =>
    {
        rig.Registry.StaleState = rig.Cluster.Copy();
        rig.Put("10.5.1.0-24", "192.0.2.1");
        await log.PassAsync(1);
        Assert.Equal(["= 10.5.1.0/24@192.0.2.1"], log.Take());
        int stale = 2;
        rig.Registry.Inject = call => call == "ListAsync" && stale-- > 0 ? RegistryFault.Stale : RegistryFault.None;
        await log.PassAsync(120);
        Assert.All(log.Take(), line => Assert.Equal("= 10.5.1.0/24@192.0.2.1", line));
        Assert.Equal(2, rig.Store.Statistics.RevisionsBackwards);
    });

    [Fact]
    public void A_store_restored_from_a_backup_is_believed_within_seconds_and_its_revisions_mean_something_else() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        FakeStore.State backup = rig.Cluster.Copy();
        rig.Put("10.5.2.0-24", "192.0.2.2");
        rig.Put("10.5.3.0-24", "192.0.2.3");
        await log.PassAsync(1);
        log.Take();
        rig.Cluster.Restore(backup);
        rig.Registry.BreakWatches();
        // Same key, same revision as before, another host.
        rig.Put("10.5.2.0-24", "192.0.2.77");
        await log.PassAsync(65);
        Assert.Equal("= 10.5.1.0/24@192.0.2.1 10.5.2.0/24@192.0.2.77", log.Take()[^1]);
        rig.Put("10.5.9.0-24", "192.0.2.9");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.9.0/24@192.0.2.9"], log.Take());
    });

    [Fact]
    public void Times_to_live_that_cannot_be_had_remove_nobody_and_end_no_reservation() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        rig.Put("10.5.2.0-24", "192.0.2.2", null);
        await log.PassAsync(1);
        long? expiry = log.Latest[0].ExpiresAt;
        Assert.True(log.Latest[1].IsReservation);
        rig.Registry.Inject = _ => RegistryFault.TimeToLiveUnknown;
        await log.PassAsync(180);
        Assert.All(log.Take(), line => Assert.Equal("= 10.5.1.0/24@192.0.2.1 10.5.2.0/24@192.0.2.2", line));
        Assert.Equal(expiry, log.Latest[0].ExpiresAt);
        Assert.True(log.Latest[1].IsReservation);
    });

    [Fact]
    public void Garbage_concerns_itself_only_and_is_reported_once() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        rig.Cluster.Put("them", "10.5.2.0-24", "not json", null);
        rig.Cluster.Put("them", "evil\nkey", Value("192.0.2.3"), null);
        rig.Cluster.Put("them", "10.6.2.0-24", Value("192.0.2.4"), null);
        await log.PassAsync(600);
        Assert.All(log.Take(), line => Assert.Equal("= 10.5.1.0/24@192.0.2.1", line));
        string[] expected =
        [
            "Warning: key \"10.5.2.0-24\" of the store is not used: it has a value that is not valid JSON at byte 1 of line 1",
            "Warning: key \"10.6.2.0-24\" of the store is not used: it is outside the network 10.5.0.0/16",
            "Warning: key \"evil\\u000akey\" of the store is not used: it names no subnet, as 10.5.52.0-24 does",
        ];
        Assert.Equal(expected, rig.Log.Lines);
        rig.Cluster.Put("them", "10.5.2.0-24", "still not json", null);
        rig.Cluster.Put("them", "10.5.1.0-24", "{}", null);
        await log.PassAsync(1);
        Assert.Equal(["- 10.5.1.0/24"], log.Take());
        Assert.Equal(5, rig.Log.Lines.Length);
        StoreStatistics statistics = rig.Store.Statistics;
        Assert.Equal((1, 2, 2), (statistics.BadKeys, statistics.BadValues, statistics.BadLeases));
    });

    /// <summary>Whoever writes nonsense over a peer's key does not cut it off; whoever deletes the key does.</summary>
    [Fact]
    public void Garbage_over_a_lease_leaves_it_as_it_was() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        await log.PassAsync(1);
        log.Take();
        rig.Cluster.Put("them", "10.5.1.0-24", "garbage", null);
        await log.PassAsync(200);
        Assert.All(log.Take(), line => Assert.EndsWith(" 10.5.1.0/24@192.0.2.1", line));
        Assert.Equal(["Warning: key \"10.5.1.0-24\" of the store is not used: it has a value that is not valid JSON at byte 0 of line 1; the lease it was before stays"], rig.Log.Lines);
        rig.Put("10.5.1.0-24", "192.0.2.7");
        await log.PassAsync(1);
        Assert.Equal(["+ 10.5.1.0/24@192.0.2.7"], log.Take());
        rig.Cluster.Delete("them", "10.5.1.0-24");
        rig.Cluster.Put("them", "10.5.1.0-24", "garbage", null);
        await log.PassAsync(200);
        Assert.Equal("- 10.5.1.0/24", log.Take()[0]);
    });

    [Fact]
    public void Ten_thousand_foreign_keys_are_ten_thousand_in_the_statistics_and_a_few_lines_in_the_log() => Watch(async (rig, log) =>
    {
        rig.Put("10.5.1.0-24", "192.0.2.1");
        for (int i = 0; i < 10_000; i++) rig.Cluster.Put("them", $"foreign/{i}", new string('{', i % 60_000), null);
        await log.PassAsync(200);
        Assert.All(log.Take(), line => Assert.Equal("= 10.5.1.0/24@192.0.2.1", line));
        Assert.Equal(10_000, rig.Store.Statistics.BadKeys);
        Assert.Equal(21, rig.Log.Lines.Length);
        Assert.Equal("Warning: 9980 more keys of the store are not used", rig.Log.Lines[^1]);
    });

    [Fact]
    public void A_value_that_is_too_long_or_was_cut_is_no_lease() => Watch(async (rig, log) =>
    {
        rig.Cluster.Put("them", "10.5.1.0-24", Value("192.0.2.1")[..^1] + ",\"x\":\"" + new string('x', RegistryEntry.MaxValueSize) + "\"}", null);
        await log.PassAsync(1);
        Assert.Equal(["= "], log.Take());
        Assert.Equal(1, rig.Store.Statistics.BadValues);
    });

    [Fact]
    public void What_is_no_failure_of_the_store_ends_the_watch() => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        rig.Registry.Inject = call => call == "ListAsync" ? throw new InvalidOperationException("a defect") : RegistryFault.None;
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (LeaseUpdate update in rig.Store.WatchAsync(rig.Network, CancellationToken.None)) Assert.Null(update);
        });
    });

    private static void Watch(Func<StoreRig, UpdateLog, Task> body) => VirtualLoop.Run(async time =>
    {
        var rig = new StoreRig(time);
        await using var log = new UpdateLog(rig);
        await body(rig, log);
    });
}
