using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Tests.Subnets.Etcd.V3;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

public sealed class EndpointPoolTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly RecordingLoggers _log = new();
    private readonly Uri[] _endpoints = [new("http://etcd-1:2379"), new("http://etcd-2:2379"), new("http://etcd-3:2379")];

    public void Dispose() => _log.Dispose();

    [Fact]
    public void One_endpoint_is_used_until_it_fails()
    {
        using EndpointPool<Uri> pool = NewPool();
        Uri first = pool.Pick();
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Same(first, pool.Pick()));
        Fail(pool, first);
        Uri second = pool.Pick();
        Assert.NotSame(first, second);
        // Also when the first one's time has come: what works is kept.
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(second, pool.Pick());
    }

    [Fact]
    public void Where_all_fail_the_one_that_waited_longest_is_tried()
    {
        using EndpointPool<Uri> pool = NewPool();
        // Each fails so often, at one moment: pauses of at most 0.1 s, at least 1.6 s and at least 0.4 s.
        for (int i = 0; i < 1; i++) Fail(pool, _endpoints[1]);
        for (int i = 0; i < 6; i++) Fail(pool, _endpoints[0]);
        for (int i = 0; i < 4; i++) Fail(pool, _endpoints[2]);
        Assert.Same(_endpoints[1], pool.Pick());
        for (int i = 0; i < 9; i++) Fail(pool, _endpoints[1]);
        Assert.Same(_endpoints[2], pool.Pick());
    }

    [Fact]
    public void Pauses_grow_to_five_seconds_and_end_with_success()
    {
        using EndpointPool<Uri> pool = NewPool(count: 2);
        Uri bad = pool.Pick(), good = _endpoints.First(channel => channel != bad);
        for (int i = 0; i < 20; i++) Fail(pool, bad);
        // 2.5 to 5 s for the one, 50 to 100 ms for the other.
        Fail(pool, good);
        Assert.Same(good, pool.Pick());
        _time.Advance(TimeSpan.FromSeconds(2.4));
        for (int i = 0; i < 5; i++) Fail(pool, good);
        Assert.Same(bad, pool.Pick());
        pool.Succeeded(bad);
        Fail(pool, bad);
        // One failure counts as the first again.
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Same(bad, pool.Pick());
    }

    [Fact]
    public void Only_changes_are_logged()
    {
        using EndpointPool<Uri> pool = NewPool();
        for (int i = 0; i < 5; i++) Fail(pool, _endpoints[0]);
        for (int i = 0; i < 5; i++) pool.Succeeded(_endpoints[0]);
        Assert.Equal(["Warning etcd: http://etcd-1:2379 fails: down", "Information etcd: http://etcd-1:2379 works again"], _log.Lines);
    }

    [Fact]
    public void Hosts_spread_over_the_endpoints()
    {
        HashSet<Uri> first = [];
        for (int seed = 0; seed < 50; seed++) first.Add(NewPool(seed: seed).Pick());
        Assert.Equal(3, first.Count);
    }

    [Fact]
    public void Back_off_doubles_with_jitter_up_to_five_seconds()
    {
        Random random = new(1);
        for (int failures = 1; failures < 100; failures++)
        {
            double full = Math.Min(5, 0.1 * Math.Pow(2, failures - 1));
            Assert.InRange(BackOff.After(failures, random).TotalSeconds, full / 2, full);
        }
    }

    [Fact]
    public void What_was_not_worth_a_line_is_not_taken_back_with_one()
    {
        using EndpointPool<Uri> pool = NewPool();
        pool.Failed(_endpoints[0], reason: null);
        pool.Succeeded(_endpoints[0]);
        Assert.Empty(_log.Lines);
        pool.Failed(_endpoints[0], reason: null);
        Fail(pool, _endpoints[0]);
        pool.Succeeded(_endpoints[0]);
        Assert.Equal(["Warning etcd: http://etcd-1:2379 fails: down", "Information etcd: http://etcd-1:2379 works again"], _log.Lines);
    }

    [Fact]
    public void What_can_be_disposed_of_is_owned()
    {
        MemoryStream[] endpoints = [new(), new()];
        new EndpointPool<MemoryStream>(endpoints.Select(e => (e, "name")), _time, new Random(1), _log).Dispose();
        Assert.All(endpoints, e => Assert.False(e.CanRead));
    }

    private EndpointPool<Uri> NewPool(int count = 3, int seed = 1) =>
        new(_endpoints[..count].Select(e => (e, EtcdEndpoints.Describe(e))), _time, new Random(seed), _log);

    private static void Fail(EndpointPool<Uri> pool, Uri endpoint) => pool.Failed(endpoint, "down");
}
