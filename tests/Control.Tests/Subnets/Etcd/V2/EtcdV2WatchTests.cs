using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V2;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V2;

/// <summary>The long poll against answers that a real etcd gives at rare moments only.</summary>
public sealed class EtcdV2WatchTests
{
    private const string Directory = "/coreos.com/network/subnets";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_arrive_in_order_and_each_poll_asks_for_what_comes_after()
    {
        using HttpServer server = Scripted(
            HttpServer.Json(Event("set", "/10.5.1.0-24", 8, "\"value\":\"one\",\"ttl\":86400"), index: 7),
            HttpServer.Json(Event("expire", "/10.5.1.0-24", 9, ""), index: 20),
            HttpServer.Json(Event("compareAndSwap", "/10.5.2.0-24", 12, "\"value\":\"two\""), index: 20),
            HttpServer.Json(Event("compareAndDelete", "/10.5.2.0-24", 13, ""), index: 20),
            HttpServer.Json(Event("update", "/10.5.3.0-24", 14, "\"value\":\"three\""), index: 20));
        List<RegistryChange> changes = await CollectAsync(server, after: 7, count: 5);
        Assert.Equal(["8 +10.5.1.0-24", "9 -10.5.1.0-24", "12 +10.5.2.0-24", "13 -10.5.2.0-24", "14 +10.5.3.0-24"], changes.Select(c => $"{c.Revision} {(c.Entry is null ? '-' : '+')}{c.Key}"));
        Assert.Equal(TimeSpan.FromDays(1), changes[0].Entry!.TimeToLive);
        Assert.Null(changes[2].Entry!.TimeToLive);
        Assert.Equal([8, 9, 10, 13, 14], server.Requests.Take(5).Select(WaitIndex));
        Assert.All(server.Requests, r => Assert.StartsWith($"GET /v2/keys{Directory}?wait=true&recursive=true&waitIndex=", r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_poll_that_ends_without_event_goes_on_from_the_index_it_began_at()
    {
        // Others fill the history meanwhile; asking for 8 once more would be refused with 401.
        using HttpServer server = Scripted("HTTP/1.1 200 OK\r\nX-Etcd-Index: 900\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", HttpServer.Json(Event("set", "/k", 950, "\"value\":\"v\""), index: 901));
        Assert.Equal(950, Assert.Single(await CollectAsync(server, after: 7, count: 1)).Revision);
        Assert.Equal([8, 901], server.Requests.Take(2).Select(WaitIndex));
    }

    [Fact]
    public async Task An_endpoint_that_ends_every_poll_at_once_is_not_asked_in_a_tight_loop()
    {
        using HttpServer server = HttpServer.Answering("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using EtcdV2Registry registry = Open(server);
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(2.5));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FirstAsync(registry, 7, stop.Token));
        Assert.InRange(server.Requests.Count, 2, 4);
    }

    [Fact]
    public async Task An_index_outside_the_history_means_a_fresh_list()
    {
        using HttpServer server = HttpServer.Answering(HttpServer.Json("""{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"the requested history has been cleared [1008/8]","index":2007}""", 400, 2007));
        await using EtcdV2Registry registry = Open(server);
        string message = (await Assert.ThrowsAsync<RegistryHistoryLostException>(() => FirstAsync(registry, 7, Cancel))).Message;
        Assert.Contains("changes after index 7 are forgotten (the requested history has been cleared [1008/8])", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_that_goes_back_means_a_fresh_list()
    {
        using HttpServer server = new((line, stream, cancel) => line.Contains("wait=true", StringComparison.Ordinal)
            ? HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 40\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", cancel)
            : HttpServer.WriteAsync(stream, HttpServer.Json("""{"errorCode":100,"message":"Key not found","cause":"/x","index":41}""", 404, 41), cancel));
        await using EtcdV2Registry registry = Open(server);
        Assert.Contains("its index went back from 100 to 41", (await Assert.ThrowsAsync<RegistryHistoryLostException>(() => FirstAsync(registry, 100, Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_only_lags_behind_is_waited_for()
    {
        int polls = 0;
        using HttpServer server = new((line, stream, cancel) =>
        {
            if (!line.Contains("wait=true", StringComparison.Ordinal)) return HttpServer.WriteAsync(stream, HttpServer.Json("""{"errorCode":100,"message":"Key not found","cause":"/x","index":100}""", 404, 100), cancel);
            return Interlocked.Increment(ref polls) == 1
                ? HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 99\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", cancel)
                : HttpServer.WriteAsync(stream, HttpServer.Json(Event("set", "/k", 101, "\"value\":\"v\""), index: 100), cancel);
        });
        await using EtcdV2Registry registry = Open(server);
        Assert.Equal(101, (await FirstAsync(registry, 100, Cancel)).Revision);
        Assert.Equal([101, 101], server.Requests.Where(r => r.Contains("wait=true", StringComparison.Ordinal)).Select(WaitIndex));
    }

    [Theory]
    [InlineData(Directory)]
    [InlineData("/coreos.com/network")]
    [InlineData("/coreos.com")]
    public async Task When_the_directory_goes_away_all_leases_do(string key)
    {
        using HttpServer server = Scripted(HttpServer.Json($$$"""{"action":"delete","node":{"key":"{{{key}}}","dir":true,"modifiedIndex":9,"createdIndex":3}}""", index: 8));
        await using EtcdV2Registry registry = Open(server);
        Assert.Contains($"{key} was deleted with everything in it", (await Assert.ThrowsAsync<RegistryHistoryLostException>(() => FirstAsync(registry, 7, Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_that_concern_no_lease_are_passed_over()
    {
        using HttpServer server = Scripted(
            HttpServer.Json($$$"""{"action":"set","node":{"key":"{{{Directory}}}","dir":true,"modifiedIndex":8,"createdIndex":8}}""", index: 20),
            HttpServer.Json(Event("set", "/a/b", 9, "\"value\":\"deeper\""), index: 20),
            HttpServer.Json("""{"action":"delete","node":{"key":"/coreos.com/network/subnets-old","dir":true,"modifiedIndex":10,"createdIndex":3}}""", index: 20),
            HttpServer.Json(Event("set", "/k", 11, "\"value\":\"v\""), index: 20));
        Assert.Equal("k", Assert.Single(await CollectAsync(server, after: 7, count: 1)).Key);
        Assert.Equal([8, 9, 10, 11], server.Requests.Take(4).Select(WaitIndex));
    }

    [Fact]
    public async Task An_event_that_repeats_ends_the_watch_instead_of_spinning()
    {
        using HttpServer server = HttpServer.Answering(HttpServer.Json(Event("set", "/k", 8, "\"value\":\"v\""), index: 20));
        await using EtcdV2Registry registry = Open(server);
        List<RegistryChange> seen = [];
        StoreUnavailableException failure = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            await foreach (RegistryChange change in registry.WatchAsync(7, Cancel)) seen.Add(change);
        });
        Assert.Contains("an event of index 8 where those after 8 were asked for", failure.Message, StringComparison.Ordinal);
        Assert.Equal((1, 2), (seen.Count, server.Requests.Count));
    }

    [Fact]
    public async Task A_poll_that_breaks_off_in_an_event_ends_the_watch_and_the_next_one_asks_again()
    {
        string whole = HttpServer.Json(Event("set", "/k", 8, "\"value\":\"v\""));
        using HttpServer server = Scripted(whole[..^10], whole);
        await using EtcdV2Registry registry = Open(server);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => FirstAsync(registry, 7, Cancel));
        Assert.Equal(8, (await FirstAsync(registry, 7, Cancel)).Revision);
    }

    [Fact]
    public async Task An_event_that_stops_half_way_runs_into_the_deadline()
    {
        using HttpServer server = new(async (_, stream, cancel) =>
        {
            await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\n\r\n{\"action\":", cancel);
            await Task.Delay(Timeout.Infinite, cancel);
        });
        await using EtcdV2Registry registry = Open(server);
        Assert.Contains("no whole answer within 1 s", (await Assert.ThrowsAsync<StoreUnavailableException>(() => FirstAsync(registry, 7, Cancel))).Message, StringComparison.Ordinal);
    }

    private static string Event(string action, string name, long index, string fields) =>
        $$$"""{"action":"{{{action}}}","node":{"key":"{{{Directory}}}{{{name}}}","modifiedIndex":{{{index}}},"createdIndex":5{{{(fields.Length > 0 ? "," : "")}}}{{{fields}}}}}""";

    private static long WaitIndex(string request) => long.Parse(request.Split("waitIndex=")[1].Split(' ')[0]);

    /// <summary>One answer for each request; then silence.</summary>
    private static HttpServer Scripted(params string[] answers)
    {
        int next = -1;
        return new((_, stream, cancel) =>
        {
            int i = Interlocked.Increment(ref next);
            return i < answers.Length ? HttpServer.WriteAsync(stream, answers[i], cancel) : Task.Delay(Timeout.Infinite, cancel);
        });
    }

    private static async Task<List<RegistryChange>> CollectAsync(HttpServer server, long after, int count)
    {
        await using EtcdV2Registry registry = Open(server);
        List<RegistryChange> changes = [];
        await foreach (RegistryChange change in registry.WatchAsync(after, Cancel))
        {
            changes.Add(change);
            if (changes.Count == count) break;
        }
        return changes;
    }

    private static async Task<RegistryChange> FirstAsync(EtcdV2Registry registry, long after, CancellationToken cancel)
    {
        await foreach (RegistryChange change in registry.WatchAsync(after, cancel)) return change;
        throw new InvalidOperationException("the watch ended by itself");
    }

    private static EtcdV2Registry Open(HttpServer server)
    {
        EtcdOptions options = EtcdOptions.Create(server.Endpoint.ToString(), EtcdOptions.DefaultPrefix);
        EndpointPool<Uri> pool = new(options.Endpoints.Select(e => (e, EtcdEndpoints.Describe(e))), TimeProvider.System, new Random(1), NullLogger.Instance);
        return new(options, new(new(options, new(options, NullLogger.Instance), TimeProvider.System), pool, TimeProvider.System, TimeSpan.FromSeconds(1)), TimeProvider.System);
    }
}
