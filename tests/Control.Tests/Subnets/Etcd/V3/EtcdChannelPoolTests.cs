using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

public sealed class EtcdChannelPoolTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly RecordingLoggers _log = new();
    private readonly GrpcChannel[] _channels;

    public EtcdChannelPoolTests() => _channels = [.. Enumerable.Range(1, 3).Select(i => new GrpcChannel(new($"http://etcd-{i}:2379"), new SocketsHttpHandler(), _time))];

    public void Dispose() => _log.Dispose();

    [Fact]
    public void One_endpoint_is_used_until_it_fails()
    {
        using EtcdChannelPool pool = NewPool();
        GrpcChannel first = pool.Pick();
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Same(first, pool.Pick()));
        Fail(pool, first);
        GrpcChannel second = pool.Pick();
        Assert.NotSame(first, second);
        // Also when the first one's time has come: what works is kept.
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(second, pool.Pick());
    }

    [Fact]
    public void Where_all_fail_the_one_that_waited_longest_is_tried()
    {
        using EtcdChannelPool pool = NewPool();
        // Each fails so often, at one moment: pauses of at most 0.1 s, at least 1.6 s and at least 0.4 s.
        for (int i = 0; i < 1; i++) Fail(pool, _channels[1]);
        for (int i = 0; i < 6; i++) Fail(pool, _channels[0]);
        for (int i = 0; i < 4; i++) Fail(pool, _channels[2]);
        Assert.Same(_channels[1], pool.Pick());
        for (int i = 0; i < 9; i++) Fail(pool, _channels[1]);
        Assert.Same(_channels[2], pool.Pick());
    }

    [Fact]
    public void Pauses_grow_to_five_seconds_and_end_with_success()
    {
        using EtcdChannelPool pool = new([_channels[0], _channels[1]], _time, new Random(1), _log);
        GrpcChannel bad = pool.Pick(), good = _channels.First(channel => channel != bad);
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
        using EtcdChannelPool pool = NewPool();
        for (int i = 0; i < 5; i++) Fail(pool, _channels[0]);
        for (int i = 0; i < 5; i++) pool.Succeeded(_channels[0]);
        Assert.Equal(["Warning etcd: http://etcd-1:2379 fails: down", "Information etcd: http://etcd-1:2379 works again"], _log.Lines);
    }

    [Fact]
    public void Hosts_spread_over_the_endpoints()
    {
        HashSet<GrpcChannel> first = [];
        for (int seed = 0; seed < 50; seed++) first.Add(new EtcdChannelPool(_channels, _time, new Random(seed), _log).Pick());
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

    private EtcdChannelPool NewPool() => new(_channels, _time, new Random(1), _log);

    private static void Fail(EtcdChannelPool pool, GrpcChannel channel) => pool.Failed(channel, new(GrpcStatusCode.Unavailable, channel.Name, "down"));
}
