using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends.Reconciliation;

public sealed class ReconcilerTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly FakeBackend _backend = new();
    private readonly RecordingLog _log = new();
    private readonly Reconciler _reconciler;

    public ReconcilerTests()
    {
        _reconciler = new(_backend, _time, _log);
        _reconciler.Start();
    }

    public void Dispose() => _reconciler.Dispose();

    [Fact]
    public async Task Nothing_is_applied_before_the_first_snapshot()
    {
        _reconciler.Take(new LeaseUpdate.Put(Sample.Lease(2)));
        _backend.Damage();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.False(_reconciler.Synchronised.IsCompleted);
        Snapshot(1, 2);
        await _reconciler.Synchronised.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        // A call before would be the first of the list.
        Assert.Equal(2, _backend.Applies[0].Length);
    }

    [Fact]
    public void A_burst_becomes_one_apply()
    {
        Snapshot(1);
        AppliesAre(1);
        for (int host = 2; host <= 100; host++) _reconciler.Take(new LeaseUpdate.Put(Sample.Lease(host)));
        _time.Advance(ReconcileSchedule.ChangeInterval);
        AppliesAre(2);
        Assert.Equal(100, _backend.Applies[1].Length);
        _time.Advance(TimeSpan.FromSeconds(29));
        AppliesAre(2);
    }

    [Fact]
    public void Renewals_are_not_applied()
    {
        Snapshot(1, 2);
        AppliesAre(1);
        for (int i = 0; i < 50; i++)
        {
            _reconciler.Take(new LeaseUpdate.Put(Sample.Lease(2) with { ModRevision = 1000 + i }));
            Snapshot(1, 2);
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }
        AppliesAre(1);
    }

    [Fact]
    public void Damage_leads_to_an_apply_of_the_same_leases()
    {
        Snapshot(1, 2);
        AppliesAre(1);
        _backend.Damage();
        _time.Advance(TimeSpan.FromSeconds(1));
        AppliesAre(2);
        Assert.Equal(_backend.Applies[0], _backend.Applies[1]);
    }

    [Fact]
    public void Everything_is_audited_twice_a_minute()
    {
        Snapshot(1);
        AppliesAre(1);
        for (int i = 2; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            AppliesAre(i);
        }
    }

    [Fact]
    public void A_failure_is_tried_again_and_told_once()
    {
        _backend.OnApply = _ => throw new IOException("no room in the table");
        Snapshot(1);
        AppliesAre(1);
        for (int i = 2; i < 12; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            AppliesAre(i);
        }
        Assert.Equal(1, _log.CountOf("no room in the table"));
        Assert.Equal("no room in the table", Assert.Single(_reconciler.ReadStatus().Failures));

        _backend.OnApply = _ => new(["route 10.5.2.0/24"], []);
        _time.Advance(TimeSpan.FromSeconds(30));
        AppliesAre(12);
        Soon.True(() => _log.CountOf("done") == 1, "the all-clear");
        Assert.Equal(1, _log.CountOf("route 10.5.2.0/24"));
        Assert.Empty(_reconciler.ReadStatus().Failures);
    }

    [Fact]
    public void One_bad_lease_is_told_once_and_again_after_it_was_gone()
    {
        bool bad = true;
        _backend.OnApply = leases => new([], bad ? [.. leases.Select(lease => $"lease {lease.Subnet}: bad")] : []);
        Snapshot([.. Enumerable.Range(1, 40)]);
        AppliesAre(1);
        Soon.True(() => _log.CountOf("and 30 more") == 1, "the end of a long list");
        Assert.Equal(10, _log.CountOf(": bad"));
        foreach (bool next in (bool[])[true, false, true])
        {
            bad = next;
            int before = _backend.Applies.Length;
            _time.Advance(TimeSpan.FromSeconds(30));
            AppliesAre(before + 1);
        }
        Assert.Equal(20, _log.CountOf(": bad"));
    }

    [Fact]
    public void The_underlay_is_followed_before_the_leases_are_applied()
    {
        Snapshot(1);
        AppliesAre(1);
        _backend.OnApply = _ => _backend.Follows.Length == 1 ? ApplyResult.Nothing : throw new IOException("applied first");
        ExternalInterface moved = Sample.External(9);
        _reconciler.Follow(moved);
        _time.Advance(ReconcileSchedule.ChangeInterval);
        AppliesAre(2);
        Assert.Same(moved, Assert.Single(_backend.Follows));
        Assert.Empty(_reconciler.ReadStatus().Failures);
    }

    [Fact]
    public void The_underlay_is_followed_although_the_store_is_away()
    {
        _reconciler.Follow(Sample.External(9));
        _time.Advance(ReconcileSchedule.ChangeInterval);
        Soon.True(() => _backend.Follows.Length == 1, "the follow");
        Assert.Empty(_backend.Applies);
        Assert.False(_reconciler.Synchronised.IsCompleted);
    }

    [Fact]
    public void An_underlay_that_the_host_refuses_is_tried_again_and_peers_are_applied_all_the_same()
    {
        Snapshot(1);
        AppliesAre(1);
        _backend.OnFollow = _ => throw new IOException("no interface of this host owns 192.0.2.9");
        _reconciler.Follow(Sample.External(9));
        _time.Advance(ReconcileSchedule.ChangeInterval);
        AppliesAre(2);
        Soon.True(() => _reconciler.ReadStatus().Failures.Count == 1, "the failure");
        _backend.OnFollow = _ => { };
        _time.Advance(TimeSpan.FromSeconds(1));
        AppliesAre(3);
        _time.Advance(TimeSpan.FromSeconds(30));
        AppliesAre(4);
        Assert.Equal(2, _backend.Follows.Length);
        Assert.Equal(1, _log.CountOf("owns 192.0.2.9"));
    }

    [Fact]
    public async Task A_defect_is_not_hidden()
    {
        _backend.OnApply = _ => throw new ArgumentException("not a refusal of the host");
        Snapshot(1);
        await Assert.ThrowsAsync<ArgumentException>(() => _reconciler.Completion.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Status_counts()
    {
        ReconcilerStatus before = _reconciler.ReadStatus();
        Assert.Equal((0, false, 0, null), (before.Leases, before.IsComplete, before.Applies, before.SinceLastApply));
        _backend.OnApply = _ =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(7));
            return new(["a", "b"], ["c"]);
        };
        Snapshot(1, 2, 3);
        Soon.True(() => _reconciler.ReadStatus().Applies == 1, "the first apply");
        _time.Advance(TimeSpan.FromMilliseconds(100));
        ReconcilerStatus status = _reconciler.ReadStatus();
        Assert.Equal((3, true, 2, 1), (status.Leases, status.IsComplete, status.Changes, status.FailedApplies));
        Assert.Equal((TimeSpan.FromMilliseconds(7), TimeSpan.FromMilliseconds(100)), (status.LastDuration, status.SinceLastApply));
    }

    private void Snapshot(params int[] hosts) => _reconciler.Take(new LeaseUpdate.Snapshot([.. hosts.Select(host => Sample.Lease(host))]));

    /// <summary>Waits for the end of so many applies, and for one too many as long as it takes a thread to wake up.</summary>
    private void AppliesAre(int count)
    {
        Soon.True(() => _reconciler.ReadStatus().Applies >= count, $"{count} applies");
        Thread.Sleep(5);
        Assert.Equal(count, _reconciler.ReadStatus().Applies);
    }
}
