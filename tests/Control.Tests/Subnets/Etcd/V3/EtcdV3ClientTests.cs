using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>What is repeated and what is not, and what becomes of etcd leases whose put came to nothing.</summary>
public sealed class EtcdV3ClientTests
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    /// <summary>Lease 7 for a day.</summary>
    private static readonly byte[] s_lease = FakeEtcd.Message(writer =>
    {
        writer.Write(2, 7);
        writer.Write(3, 86400);
    });

    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_is_repeated_elsewhere_and_a_write_is_not()
    {
        using FakeEtcd breaks = new(_ => null), works = new(_ => []);
        for (int seed = 0; seed < 8; seed++)
        {
            await using EtcdV3Registry registry = Open(seed, breaks, works);
            Assert.Null(await registry.ReadConfigAsync(_cancel));
        }
        Assert.Equal(8, works.Asked.Length);
        Assert.InRange(breaks.Asked.Length, 1, 7);
        int failed = 0;
        for (int seed = 0; seed < 8; seed++)
        {
            await using EtcdV3Registry registry = Open(seed, breaks, works);
            failed += await Record.ExceptionAsync(() => registry.WriteConfigAsync("x"u8.ToArray(), _cancel)) is StoreUnavailableException ? 1 : 0;
        }
        Assert.Equal(8, works.Asked.Count(method => method == "Put") + failed);
        Assert.Equal(failed, breaks.Asked.Count(method => method == "Put"));
        Assert.InRange(failed, 1, 7);
    }

    [Fact]
    public async Task A_write_that_was_certainly_not_taken_is_repeated_elsewhere()
    {
        using FakeEtcd works = new(_ => []);
        for (int seed = 0; seed < 8; seed++)
        {
            EtcdOptions options = EtcdOptions.Create($"http://127.0.0.1:1,{works.Endpoint}", "/p");
            await using EtcdV3Registry registry = EtcdV3Registry.Open(options, TimeProvider.System, NullLoggerFactory.Instance, new Random(seed));
            await registry.WriteConfigAsync("x"u8.ToArray(), _cancel);
        }
        Assert.Equal(8, works.Asked.Length);
    }

    [Fact]
    public async Task A_read_on_a_connection_that_broke_is_repeated_once_on_the_only_endpoint()
    {
        int calls = 0;
        using FakeEtcd restarts = new(_ => Interlocked.Increment(ref calls) == 1 ? null : []), breaks = new(_ => null);
        await using EtcdV3Registry registry = Open(1, restarts);
        Assert.Null(await registry.ReadConfigAsync(_cancel));
        await using EtcdV3Registry broken = Open(1, breaks);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => broken.ReadConfigAsync(_cancel));
        Assert.Equal(2, breaks.Asked.Length);
    }

    [Fact]
    public async Task A_verdict_is_not_asked_for_twice()
    {
        using FakeEtcd one = new(_ => FakeEtcd.Status(GrpcStatusCode.PermissionDenied)), two = new(_ => FakeEtcd.Status(GrpcStatusCode.PermissionDenied));
        await using EtcdV3Registry registry = Open(1, one, two);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReadConfigAsync(_cancel));
        Assert.Equal(1, one.Asked.Length + two.Asked.Length);
    }

    [Fact]
    public async Task A_create_without_answer_takes_its_lease_back()
    {
        using FakeEtcd etcd = new(method => method switch { "LeaseGrant" => s_lease, "Txn" => null, _ => [] });
        await using EtcdV3Registry registry = Open(1, etcd);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.CreateAsync("10.5.1.0-24", "x"u8.ToArray(), s_day, _cancel));
        Assert.Equal(["LeaseGrant", "Txn", "LeaseRevoke"], etcd.Asked);
    }

    [Fact]
    public async Task A_replace_without_answer_leaves_its_lease_as_the_key_may_hang_on_it()
    {
        using FakeEtcd etcd = new(method => method switch { "LeaseGrant" => s_lease, "Txn" => null, _ => [] });
        await using EtcdV3Registry registry = Open(1, etcd);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReplaceAsync("10.5.1.0-24", "x"u8.ToArray(), s_day, 5, _cancel));
        Assert.Equal(["LeaseGrant", "Txn"], etcd.Asked);
    }

    [Fact]
    public async Task A_replace_that_is_refused_takes_its_lease_back()
    {
        using FakeEtcd etcd = new(method => method switch { "LeaseGrant" => s_lease, "Txn" => FakeEtcd.Status(GrpcStatusCode.ResourceExhausted), _ => [] });
        await using EtcdV3Registry registry = Open(1, etcd);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReplaceAsync("10.5.1.0-24", "x"u8.ToArray(), s_day, 5, _cancel));
        Assert.Equal(["LeaseGrant", "Txn", "LeaseRevoke"], etcd.Asked);
    }

    [Fact]
    public async Task A_time_to_live_that_cannot_be_read_costs_nothing_but_itself()
    {
        int lookups = 0;
        using FakeEtcd etcd = new(method => method switch
        {
            "Range" => FakeEtcd.Message(writer =>
            {
                for (int i = 0; i < 10; i++) writer.Write(2, FakeEtcd.Message(key =>
                {
                    key.Write(1, $"/p/subnets/10.5.{i}.0-24");
                    key.Write(3, 5);
                    key.Write(6, i + 1);
                }));
            }),
            _ when Interlocked.Increment(ref lookups) == 1 => s_lease,
            _ => FakeEtcd.Status(GrpcStatusCode.Unavailable),
        });
        using RecordingLoggers log = new();
        await using EtcdV3Registry registry = EtcdV3Registry.Open(EtcdOptions.Create(etcd.Endpoint, "/p"), TimeProvider.System, log, new Random(1));
        RegistrySnapshot snapshot = await registry.ListAsync(_cancel);
        Assert.Equal(10, snapshot.Entries.Count);
        Assert.Equal("10.5.6.0-24", Assert.Single(snapshot.Entries, entry => entry.IsTimeToLiveKnown).Key);
        Assert.Single(log.Lines, line => line.Contains("the time to live of 9 of 10 leases could not be read", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_announced_but_never_given_are_an_error()
    {
        using FakeEtcd etcd = new(_ => FakeEtcd.Message(writer => writer.Write(3, true)));
        await using EtcdV3Registry registry = Open(1, etcd);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(_cancel));
        Assert.Single(etcd.Asked);
    }

    private static EtcdV3Registry Open(int seed, params FakeEtcd[] servers) => EtcdV3Registry.Open(
        EtcdOptions.Create(string.Join(',', servers.Select(server => server.Endpoint)), "/p"), TimeProvider.System, NullLoggerFactory.Instance, new Random(seed));
}
