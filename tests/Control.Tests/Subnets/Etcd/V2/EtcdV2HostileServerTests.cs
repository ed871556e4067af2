using System.Diagnostics;
using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.V2;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V2;

/// <summary>Servers that are no etcd, or not a well one: every call ends in time with one clear line, and nothing is believed that was not said.</summary>
public sealed class EtcdV2HostileServerTests
{
    private const string Directory = "/coreos.com/network/subnets";
    private const string Listing = $$$"""{"action":"get","node":{"key":"{{{Directory}}}","dir":true,"nodes":[{"key":"{{{Directory}}}/10.5.1.0-24","value":"v","modifiedIndex":5,"createdIndex":4,"ttl":100}],"modifiedIndex":3,"createdIndex":3}}""";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(1);
    private static readonly byte[] s_value = "value"u8.ToArray();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>please log in</html>", "HTTP 200 with text/html, which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<h1>x</h1", "HTTP 502 with text/html, which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n<>", "HTTP 404 with text/html, which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 19\r\n\r\n404 page not found\n", "does not serve the v2 API")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "HTTP 200 with application/json, which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 10\r\n\r\n{\"node\":[]", "no valid JSON")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 4\r\n\r\nnull", "which is not of etcd's keys API")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"nod", "broke off")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nContent-Length: 100\r\n\r\n{\"action\":", "broke off")]
    [InlineData("HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "no answer")]
    [InlineData("", "no answer")]
    [InlineData("HTTP/1.1 500 E\r\nX-Etcd-Index: 7\r\n\r\n{\"errorCode\":300,\"message\":\"Raft Internal Error\",\"cause\":\"late\"}", "error 300: Raft Internal Error (late)")]
    [InlineData("HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.99:2379/v2/keys/x\r\nContent-Length: 0\r\n\r\n", "redirects to \"http://192.0.2.99:2379/v2/keys/x\", which is none of -etcd-endpoints")]
    public async Task What_is_no_answer_of_etcd_is_one_clear_line(string answer, string reason)
    {
        using HttpServer server = HttpServer.Answering(answer.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
        await using EtcdV2Registry registry = Open(server.Endpoint);
        foreach (Func<Task> call in Calls(registry))
        {
            StoreUnavailableException failure = await Assert.ThrowsAsync<StoreUnavailableException>(call);
            Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
            Assert.StartsWith($"etcd v2: {server.Endpoint.ToString().TrimEnd('/')}: ", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', failure.Message);
        }
    }

    [Fact]
    public async Task An_error_of_etcd_is_quoted_on_one_line()
    {
        using HttpServer server = HttpServer.Answering(HttpServer.Json("""{"errorCode":110,"message":"The request requires user authentication","cause":"evil\n\u001b[2Jtext","index":0}""", 401));
        await using EtcdV2Registry registry = Open(server.Endpoint);
        string message = (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message;
        Assert.EndsWith("error 110: The request requires user authentication (evil\\u000a\\u001b[2Jtext)", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_before_the_head_within_it_and_within_the_body_ends_in_time()
    {
        string whole = HttpServer.Json(Listing);
        foreach (int sent in new[] { 0, 10, whole.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4, whole.Length - 1 })
        {
            using HttpServer server = new(async (_, stream, cancel) =>
            {
                await HttpServer.WriteAsync(stream, whole[..sent], cancel);
                await Task.Delay(Timeout.Infinite, cancel);
            });
            await using EtcdV2Registry registry = Open(server.Endpoint);
            long started = Stopwatch.GetTimestamp();
            string message = (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message;
            Assert.Contains("no whole answer within", message, StringComparison.Ordinal);
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(3));
        }
    }

    [Fact]
    public async Task Bytes_that_trickle_in_without_end_run_into_the_deadline()
    {
        using HttpServer server = new(async (_, stream, cancel) =>
        {
            await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\n\r\n{", cancel);
            while (true)
            {
                await HttpServer.WriteAsync(stream, " ", cancel);
                await Task.Delay(20, cancel);
            }
        });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Assert.Contains("no whole answer within", (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"a\":1,")]
    [InlineData("\"nodes\":[[[[[[[[[[[[[[[[[[[[[")]
    [InlineData("                        ")]
    public async Task An_answer_without_end_takes_bounded_memory(string filler)
    {
        using HttpServer server = new(async (_, stream, cancel) =>
        {
            await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\n\r\n{", cancel);
            string block = string.Concat(Enumerable.Repeat(filler, 10_000));
            while (true) await HttpServer.WriteAsync(stream, block, cancel);
        });
        await using EtcdV2Registry registry = Open(server.Endpoint, TimeSpan.FromSeconds(20));
        long before = GC.GetTotalAllocatedBytes();
        string message = (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message;
        Assert.Matches("more than what any answer of etcd has|no valid JSON", message);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 400 << 20);
    }

    [Fact]
    public async Task One_string_without_end_takes_bounded_memory()
    {
        using HttpServer server = new(async (_, stream, cancel) =>
        {
            await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\n\r\n{\"action\":\"", cancel);
            string block = new('a', 1 << 20);
            while (true) await HttpServer.WriteAsync(stream, block, cancel);
        });
        await using EtcdV2Registry registry = Open(server.Endpoint, TimeSpan.FromSeconds(20));
        Assert.Contains("more than what any answer of etcd has (32 MiB)", (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_without_end_are_refused()
    {
        using HttpServer server = new(async (_, stream, cancel) =>
        {
            await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\n", cancel);
            while (true) await HttpServer.WriteAsync(stream, $"X-Filler: {new string('a', 1000)}\r\n", cancel);
        });
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Assert.Contains("no answer", (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_in_pieces_of_any_size_is_the_same_answer()
    {
        string body = Listing;
        foreach (int piece in new[] { 1, 2, 7, 100 })
        {
            using HttpServer server = new(async (_, stream, cancel) =>
            {
                await HttpServer.WriteAsync(stream, "HTTP/1.1 200 OK\r\nX-Etcd-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\n", cancel);
                for (int i = 0; i < body.Length; i += piece)
                {
                    string part = body.Substring(i, Math.Min(piece, body.Length - i));
                    await HttpServer.WriteAsync(stream, $"{part.Length:x}\r\n{part}\r\n", cancel);
                }
                await HttpServer.WriteAsync(stream, "0\r\n\r\n", cancel);
            });
            await using EtcdV2Registry registry = Open(server.Endpoint, TimeSpan.FromSeconds(10));
            RegistrySnapshot all = await registry.ListAsync(Cancel);
            Assert.Equal(7, all.Revision);
            RegistryEntry entry = Assert.Single(all.Entries);
            Assert.Equal(("10.5.1.0-24", TimeSpan.FromSeconds(100), 4, 5), (entry.Key, entry.TimeToLive, entry.CreateRevision, entry.ModRevision));
        }
    }

    [Fact]
    public async Task Every_cut_of_an_answer_is_refused()
    {
        string whole = HttpServer.Json(Listing);
        for (int length = 0; length < whole.Length; length += 3)
        {
            using HttpServer server = HttpServer.Answering(whole[..length]);
            await using EtcdV2Registry registry = Open(server.Endpoint);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel));
        }
    }

    [Fact]
    public async Task Only_leases_right_below_the_directory_count_and_bad_ones_stay_their_own_problem()
    {
        string big = new('x', RegistryEntry.MaxValueSize + 1);
        string nodes = string.Join(',',
            Node("10.5.1.0-24", "\"value\":\"good\",\"ttl\":50"), Node("10.5.2.0-24", "\"dir\":true"), Node("10.5.3.0-24", $"\"value\":\"{big}\""),
            Node("10.5.4.0-24", "\"value\":\"gone soon\",\"ttl\":-3"), Node("", "\"value\":\"no name\""), Node("a/b", "\"value\":\"deeper\""),
            "{\"key\":\"/elsewhere/10.5.9.0-24\",\"value\":\"not ours\",\"modifiedIndex\":5,\"createdIndex\":5}", Node("garbage \\u0001", "\"value\":\"\\ud83d\\ude00\""));
        using HttpServer server = HttpServer.Answering(HttpServer.Json($"{{\"action\":\"get\",\"unknown\":{{\"x\":[1]}},\"node\":{{\"key\":\"{Directory}\",\"dir\":true,\"nodes\":[{nodes}]}}}}"));
        await using EtcdV2Registry registry = Open(server.Endpoint);
        Dictionary<string, RegistryEntry> all = (await registry.ListAsync(Cancel)).Entries.ToDictionary(e => e.Key);
        Assert.Equal(["10.5.1.0-24", "10.5.2.0-24", "10.5.3.0-24", "10.5.4.0-24", "garbage \u0001"], all.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("good"u8.ToArray(), all["10.5.1.0-24"].Value.ToArray());
        Assert.False(all["10.5.2.0-24"].IsTimeToLiveKnown);
        Assert.Equal((RegistryEntry.MaxValueSize, true), (all["10.5.3.0-24"].Value.Length, all["10.5.3.0-24"].IsTruncated));
        Assert.Equal(TimeSpan.Zero, all["10.5.4.0-24"].TimeToLive);
        Assert.Equal("😀", Encoding.UTF8.GetString(all["garbage \u0001"].Value.Span));
    }

    [Fact]
    public async Task A_redirect_is_followed_among_the_configured_endpoints_only_and_not_for_ever()
    {
        using HttpServer leader = HttpServer.Answering(HttpServer.Json(Listing));
        using HttpServer follower = HttpServer.Answering($"HTTP/1.1 307 T\r\nLocation: {leader.Endpoint}v2/keys/elsewhere?x=1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        await using (EtcdV2Registry registry = Open(follower.Endpoint, leader.Endpoint))
            Assert.Single((await registry.ListAsync(Cancel)).Entries);
        // Where to is taken from the redirect, what for is not.
        Assert.All(leader.Requests, r => Assert.StartsWith($"GET /v2/keys{Directory}?quorum=true HTTP/1.1", r, StringComparison.Ordinal));

        HttpServer? loop = null;
        loop = new((_, stream, cancel) => HttpServer.WriteAsync(stream, $"HTTP/1.1 307 T\r\nLocation: {loop!.Endpoint}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", cancel));
        using (loop)
        {
            await using EtcdV2Registry registry = Open(loop.Endpoint);
            Assert.Contains("redirects more than 3 times", (await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ListAsync(Cancel))).Message, StringComparison.Ordinal);
            Assert.Equal(4, loop.Requests.Count);
        }
    }

    [Fact]
    public async Task A_read_goes_on_to_the_next_endpoint_and_a_write_that_may_have_got_through_does_not()
    {
        using HttpServer dead = new((_, _, _) => Task.CompletedTask);
        using HttpServer alive = HttpServer.Answering(HttpServer.Json(Listing));
        // Whichever is first: five times each, so that both orders are met (the seeds do).
        for (int seed = 0; seed < 5; seed++)
        {
            await using EtcdV2Registry registry = Open([dead.Endpoint, alive.Endpoint], s_timeout, seed);
            Assert.Single((await registry.ListAsync(Cancel)).Entries);
        }
        Assert.NotEmpty(dead.Requests);

        int before = alive.Requests.Count + dead.Requests.Count, refused = 0;
        for (int seed = 0; seed < 5; seed++)
        {
            await using EtcdV2Registry registry = Open([dead.Endpoint, alive.Endpoint], s_timeout, seed);
            try
            {
                await registry.WriteConfigAsync(s_value, Cancel);
            }
            catch (StoreUnavailableException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1, 4);
        Assert.Equal(before + 5, alive.Requests.Count + dead.Requests.Count);
    }

    [Fact]
    public async Task A_write_goes_on_to_the_next_endpoint_where_nobody_listens()
    {
        using HttpServer alive = HttpServer.Answering(HttpServer.Json(Listing));
        Uri nobody;
        using (HttpServer closed = HttpServer.Answering("")) nobody = closed.Endpoint;
        for (int seed = 0; seed < 5; seed++)
        {
            await using EtcdV2Registry registry = Open([nobody, alive.Endpoint], s_timeout, seed);
            await registry.WriteConfigAsync(s_value, Cancel);
        }
        Assert.Equal(5, alive.Requests.Count);
        await using EtcdV2Registry alone = Open(nobody);
        Assert.Contains("no connection", (await Assert.ThrowsAsync<StoreUnavailableException>(() => alone.ListAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_goes_to_etcd_and_into_no_message()
    {
        using HttpServer server = HttpServer.Answering("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
        EtcdOptions options = EtcdOptions.Create(server.Endpoint.ToString(), "/p", userName: "root", password: "s3cret");
        await using EtcdV2Registry registry = EtcdV2Registry.Open(options, TimeProvider.System, NullLoggerFactory.Instance, new Random(1));
        StoreUnavailableException failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => registry.ReadConfigAsync(Cancel));
        Assert.Contains($"Authorization: Basic {Convert.ToBase64String("root:s3cret"u8)}", Assert.Single(server.Requests), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", registry.Description, StringComparison.Ordinal);
    }

    private static string Node(string name, string fields) => $"{{\"key\":\"{Directory}/{name}\",\"modifiedIndex\":5,\"createdIndex\":4,{fields}}}";

    private static IEnumerable<Func<Task>> Calls(EtcdV2Registry registry) =>
    [
        () => registry.ReadConfigAsync(Cancel),
        () => registry.ListAsync(Cancel),
        () => registry.ReadAsync("k", Cancel),
        () => registry.WriteConfigAsync(s_value, Cancel),
        () => registry.CreateAsync("k", s_value, TimeSpan.FromDays(1), Cancel),
        () => registry.ReplaceAsync("k", s_value, TimeSpan.FromDays(1), 5, Cancel),
        () => registry.DeleteAsync("k", 5, Cancel),
        async () =>
        {
            await foreach (RegistryChange change in registry.WatchAsync(6, Cancel)) Assert.Fail($"{change}");
        },
    ];

    private static EtcdV2Registry Open(params Uri[] endpoints) => Open(endpoints, s_timeout, seed: 1);

    private static EtcdV2Registry Open(Uri endpoint, TimeSpan timeout) => Open([endpoint], timeout, seed: 1);

    private static EtcdV2Registry Open(Uri[] endpoints, TimeSpan timeout, int seed)
    {
        EtcdOptions options = EtcdOptions.Create(string.Join<Uri>(',', endpoints), EtcdOptions.DefaultPrefix);
        EndpointPool<Uri> pool = new(options.Endpoints.Select(e => (e, EtcdEndpoints.Describe(e))), TimeProvider.System, new Random(seed), NullLogger.Instance);
        EtcdV2Exchange exchange = new(options, new(options, NullLogger.Instance), TimeProvider.System);
        return new(options, new(exchange, pool, TimeProvider.System, timeout), TimeProvider.System);
    }
}
