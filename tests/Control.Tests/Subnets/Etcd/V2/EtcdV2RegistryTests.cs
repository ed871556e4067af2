using System.Diagnostics;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V2;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V2;

/// <summary>Against a real etcd with --enable-v2, with its own etcdctl as a witness.</summary>
public sealed class EtcdV2RegistryTests
{
    private const string Key = "10.5.1.0-24";
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private static readonly byte[] s_value = """{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}"""u8.ToArray();
    private static readonly byte[] s_other = """{"PublicIP":"192.0.2.2"}"""u8.ToArray();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_and_values_are_those_of_stock()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Assert.Null(await registry.ReadConfigAsync(Cancel));
        server.CtlV2("set", "/coreos.com/network/config", """{"Network":"10.5.0.0/16"}""");
        Assert.Equal("""{"Network":"10.5.0.0/16"}"""u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        await registry.WriteConfigAsync(s_other, Cancel);
        Assert.Equal(Encoding.UTF8.GetString(s_other) + "\n", server.CtlV2("get", "/coreos.com/network/config"));

        Assert.Empty((await registry.ListAsync(Cancel)).Entries);
        RegistryEntry made = Assert.IsType<RegistryEntry>(await registry.CreateAsync(Key, s_value, s_day, Cancel));
        Assert.Equal((made.CreateRevision, TimeSpan.FromDays(1), true), (made.ModRevision, made.TimeToLive, made.IsTimeToLiveKnown));
        Assert.Equal(Encoding.UTF8.GetString(s_value) + "\n", server.CtlV2("get", $"/coreos.com/network/subnets/{Key}"));
        Assert.Contains("TTL: 86400", server.CtlV2("-o", "extended", "get", $"/coreos.com/network/subnets/{Key}"), StringComparison.Ordinal);

        server.CtlV2("set", "--ttl", "3600", "/coreos.com/network/subnets/10.5.2.0-24&fc00:0:0:2::-64", "dual stack");
        server.CtlV2("set", "/coreos.com/network/subnets/10.5.3.0-24", "reserved");
        RegistrySnapshot all = await registry.ListAsync(Cancel);
        Dictionary<string, RegistryEntry> entries = all.Entries.ToDictionary(e => e.Key);
        Assert.Equal(["10.5.1.0-24", "10.5.2.0-24&fc00:0:0:2::-64", "10.5.3.0-24"], entries.Keys.Order(StringComparer.Ordinal));
        Assert.InRange(entries["10.5.2.0-24&fc00:0:0:2::-64"].TimeToLive!.Value, TimeSpan.FromSeconds(3590), TimeSpan.FromSeconds(3600));
        Assert.Null(entries["10.5.3.0-24"].TimeToLive);
        Assert.True(all.Revision >= entries["10.5.3.0-24"].ModRevision);
        Assert.Equal("dual stack", Encoding.UTF8.GetString((await registry.ReadAsync("10.5.2.0-24&fc00:0:0:2::-64", Cancel))!.Value.Span));
    }

    [Fact]
    public async Task Writes_compare_and_swap()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Assert.Null(await registry.ReplaceAsync(Key, s_value, s_day, 1, Cancel));
        Assert.False(await registry.DeleteAsync(Key, 1, Cancel));
        RegistryEntry made = (await registry.CreateAsync(Key, s_value, s_day, Cancel))!;
        Assert.Null(await registry.CreateAsync(Key, s_other, s_day, Cancel));
        Assert.Null(await registry.ReplaceAsync(Key, s_other, s_day, made.ModRevision + 1, Cancel));
        Assert.Equal(s_value, (await registry.ReadAsync(Key, Cancel))!.Value.ToArray());

        RegistryEntry renewed = (await registry.ReplaceAsync(Key, s_other, null, made.ModRevision, Cancel))!;
        Assert.Equal((made.CreateRevision, null), (renewed.CreateRevision, renewed.TimeToLive));
        Assert.True(renewed.ModRevision > made.ModRevision);
        Assert.Null((await registry.ReadAsync(Key, Cancel))!.TimeToLive);
        Assert.NotNull((await registry.ReplaceAsync(Key, s_other, s_day, renewed.ModRevision, Cancel))!.TimeToLive);

        // Stock renews without asking; whoever compares afterwards sees it.
        server.CtlV2("set", "--ttl", "86400", $"/coreos.com/network/subnets/{Key}", "stock's");
        Assert.False(await registry.DeleteAsync(Key, renewed.ModRevision, Cancel));
        RegistryEntry now = (await registry.ReadAsync(Key, Cancel))!;
        Assert.True(await registry.DeleteAsync(Key, now.ModRevision, Cancel));
        Assert.Null(await registry.ReadAsync(Key, Cancel));
    }

    [Fact]
    public async Task Every_byte_that_etcd_can_hold_survives()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        string text = "a+b&c=d%20;é😀\n\t\"\\<>" + new string('x', 60_000);
        await registry.CreateAsync("key&with:odd-characters", Encoding.UTF8.GetBytes(text), s_day, Cancel);
        RegistryEntry read = Assert.Single((await registry.ListAsync(Cancel)).Entries);
        Assert.Equal(("key&with:odd-characters", text), (read.Key, Encoding.UTF8.GetString(read.Value.Span)));
    }

    [Fact]
    public async Task Changes_arrive_and_leases_end_by_themselves()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        RegistrySnapshot all = await registry.ListAsync(Cancel);
        await using IAsyncEnumerator<RegistryChange> watch = registry.WatchAsync(all.Revision, Cancel).GetAsyncEnumerator(Cancel);
        ValueTask<bool> next = watch.MoveNextAsync();

        server.CtlV2("set", "--ttl", "1", "/coreos.com/network/subnets/10.5.2.0-24", "short");
        Assert.True(await next);
        Assert.Equal(("10.5.2.0-24", "short", TimeSpan.FromSeconds(1)), (watch.Current.Key, Encoding.UTF8.GetString(watch.Current.Entry!.Value.Span), watch.Current.Entry.TimeToLive));
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(("10.5.2.0-24", null), (watch.Current.Key, watch.Current.Entry));

        long after = watch.Current.Revision;
        server.CtlV2("rm", $"/coreos.com/network/subnets/{Key}");
        server.CtlV2("set", "/coreos.com/network/subnets/10.5.3.0-24", "new");
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal((Key, null), (watch.Current.Key, watch.Current.Entry));
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("10.5.3.0-24", watch.Current.Key);

        // The same again, from history.
        await using IAsyncEnumerator<RegistryChange> second = registry.WatchAsync(after, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await second.MoveNextAsync());
        Assert.Equal((Key, null), (second.Current.Key, second.Current.Entry));

        server.CtlV2("rm", "--recursive", "/coreos.com/network");
        await Assert.ThrowsAsync<RegistryHistoryLostException>(async () => await watch.MoveNextAsync());
        Assert.Empty((await registry.ListAsync(Cancel)).Entries);
    }

    [Fact]
    public async Task History_holds_a_thousand_events_of_anybody()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        await registry.CreateAsync(Key, s_value, s_day, Cancel);
        long after = (await registry.ListAsync(Cancel)).Revision;
        RegistryEntry entry = (await registry.ReadAsync(Key, Cancel))!;
        for (int i = 0; i < 1010; i++) entry = (await registry.ReplaceAsync(Key, s_value, s_day, entry.ModRevision, Cancel))!;
        await using IAsyncEnumerator<RegistryChange> watch = registry.WatchAsync(after, Cancel).GetAsyncEnumerator(Cancel);
        await Assert.ThrowsAsync<RegistryHistoryLostException>(async () => await watch.MoveNextAsync());
    }

    [Fact]
    public async Task Tls_with_a_client_certificate()
    {
        System.Net.IPAddress address = EtcdServer.NewAddress();
        using TestCertificates tls = new(address);
        using EtcdServer server = EtcdServer.Start(new() { Address = address, Tls = tls, EnableV2 = true });
        await using EtcdV2Registry registry = Open(EtcdOptions.Create(server.Endpoint, "/kubernetes/network", tls.Authority, tls.ClientCertificate, tls.ClientKey));
        server.CtlV2("set", "/kubernetes/network/config", "config");
        Assert.Equal("config"u8.ToArray(), await registry.ReadConfigAsync(Cancel));
        Assert.NotNull(await registry.CreateAsync(Key, s_value, s_day, Cancel));

        await using EtcdV2Registry stranger = Open(EtcdOptions.Create(server.Endpoint, "/kubernetes/network", tls.Authority));
        Assert.StartsWith($"etcd v2: {server.Endpoint}: ", (await Assert.ThrowsAsync<StoreUnavailableException>(() => stranger.ReadConfigAsync(Cancel))).Message, StringComparison.Ordinal);
        await using EtcdV2Registry unsure = Open(server.Endpoint);
        Assert.Contains("no TLS", (await Assert.ThrowsAsync<StoreUnavailableException>(() => unsure.ReadConfigAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Basic_authentication()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        server.CtlV2("set", "/coreos.com/network/config", "config");
        await server.PutV2Async("auth/users/root", """{"user":"root","password":"s3cret"}""");
        await server.PutV2Async("auth/enable", "");
        await server.PutV2Async("auth/roles/guest", """{"role":"guest","revoke":{"kv":{"read":["/*"],"write":["/*"]}}}""", "root:s3cret");

        await using EtcdV2Registry known = Open(EtcdOptions.Create(server.Endpoint, EtcdOptions.DefaultPrefix, userName: "root", password: "s3cret"));
        Assert.Equal("config"u8.ToArray(), await known.ReadConfigAsync(Cancel));
        await using EtcdV2Registry unknown = Open(server.Endpoint);
        Assert.Contains("error 110: The request requires user authentication", (await Assert.ThrowsAsync<StoreUnavailableException>(() => unknown.ReadConfigAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_v2_api_it_is_said_so()
    {
        using EtcdServer server = EtcdServer.Start();
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Assert.Contains($"{server.Endpoint}: does not serve the v2 API", (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReadConfigAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_that_loses_a_member_goes_on_and_one_that_loses_its_majority_does_not_answer()
    {
        using EtcdCluster cluster = EtcdCluster.Start(3, new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(cluster.Endpoints);
        RegistryEntry entry = (await registry.CreateAsync(Key, s_value, s_day, Cancel))!;
        cluster.Leader().Kill();
        await EventuallyAsync(async () => (await registry.ListAsync(Cancel)).Entries.Count == 1);
        RegistryEntry? renewed = null;
        await EventuallyAsync(async () => (renewed = await registry.ReplaceAsync(Key, s_other, s_day, entry.ModRevision, Cancel) ?? await registry.ReadAsync(Key, Cancel)) is not null);
        Assert.Equal(s_other, renewed!.Value.ToArray());

        EtcdServer second = cluster.Members.First(m => m.TryCtl(out _, "endpoint", "status") == 0);
        second.Pause();
        long started = Stopwatch.GetTimestamp();
        // The last member still has all the keys, and must not hand them out: what it has may be old.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(8));
        second.Resume();
        await EventuallyAsync(async () => (await registry.ListAsync(Cancel)).Entries.Count == 1);
    }

    [Fact]
    public async Task Two_thousand_leases_load_in_under_a_second()
    {
        using EtcdServer server = EtcdServer.Start(new() { EnableV2 = true });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancel }, async (i, cancel) =>
            Assert.NotNull(await registry.CreateAsync($"10.{i >> 8}.{i & 255}.0-24", s_value, s_day, cancel)));
        await registry.ListAsync(Cancel);
        long started = Stopwatch.GetTimestamp();
        Assert.Equal(2000, (await registry.ListAsync(Cancel)).Entries.Count);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (StoreUnavailableException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20))
            {
                // An election takes its time.
            }
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(20));
            await Task.Delay(100, Cancel);
        }
    }

    private static EtcdV2Registry Open(string endpoints) => Open(EtcdOptions.Create(endpoints, EtcdOptions.DefaultPrefix));

    private static EtcdV2Registry Open(EtcdOptions options) => EtcdV2Registry.Open(options, TimeProvider.System, NullLoggerFactory.Instance, new Random(1));
}
