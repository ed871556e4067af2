using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Subnets.Etcd.Grpc;

/// <summary>What servers and those between do to a call: each ends with a result or one clear error, in time and within bounds.</summary>
public sealed class GrpcChannelTests
{
    /// <summary>A RangeResponse that says "more": field 3, 1.</summary>
    private static readonly byte[] s_answer = [0x18, 1];

    private static readonly (string, string)[] s_good = [(":status", "200"), ("content-type", "application/grpc")];

    private readonly CancellationToken _cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_is_sent_as_the_protocol_says()
    {
        string header = "";
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            header = connection.HeaderBlock;
            await connection.ReplyAsync(stream, s_answer);
        });
        using GrpcChannel channel = Open(server);
        RangeResponse answer = await channel.CallAsync(EtcdMethods.Range, new([1]), [new("token", "abc.7")], TimeSpan.FromSeconds(5), _cancel);
        Assert.True(answer.More);
        Assert.Contains("/etcdserverpb.KV/Range", header, StringComparison.Ordinal);
        Assert.Contains("application/grpc", header, StringComparison.Ordinal);
        Assert.Contains("trailers", header, StringComparison.Ordinal);
        Assert.Contains("abc.7", header, StringComparison.Ordinal);
        Assert.Contains("grpc-timeout", header, StringComparison.Ordinal);
        Assert.Contains("5000m", header, StringComparison.Ordinal);
        await CallAsync(channel);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task Trailers_alone_are_an_error_with_its_text()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach((connection, stream) => connection.SendHeadersAsync(
            stream, isEnd: true, [.. s_good, ("grpc-status", "7"), ("grpc-message", "etcdserver: permission%20denied%0A\u001b[31m")]));
        GrpcException refused = await FailsAsync(server, GrpcStatusCode.PermissionDenied);
        Assert.Equal($"http://127.0.0.1:{server.Endpoint.Port}: etcdserver: permission denied\\u000a\\u001b[31m (PermissionDenied)", refused.Message);
        Assert.False(refused.IsEndpointFailure);
    }

    [Fact]
    public async Task An_error_in_the_trailers_counts_more_than_the_message_before()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            await connection.SendAsync(FakeHttp2Connection.Data, 0, stream, FakeHttp2Connection.Frame(s_answer));
            await connection.SendHeadersAsync(stream, isEnd: true, ("grpc-status", "14"), ("grpc-message", "etcdserver: leader changed"));
        });
        Assert.Equal("etcdserver: leader changed", (await FailsAsync(server, GrpcStatusCode.Unavailable)).Detail);
    }

    [Theory]
    [InlineData("99", nameof(GrpcStatusCode.Unknown))]
    [InlineData("x", nameof(GrpcStatusCode.Unknown))]
    [InlineData("-1", nameof(GrpcStatusCode.Unknown))]
    public async Task Odd_statuses_are_errors(string status, string expected)
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach((connection, stream) => connection.SendHeadersAsync(stream, isEnd: true, [.. s_good, ("grpc-status", status)]));
        await FailsAsync(server, Enum.Parse<GrpcStatusCode>(expected));
    }

    [Theory]
    [InlineData("502", "text/html", nameof(GrpcStatusCode.Unavailable))]
    [InlineData("200", "text/html", nameof(GrpcStatusCode.Unknown))]
    [InlineData("404", "text/plain", nameof(GrpcStatusCode.Unimplemented))]
    [InlineData("401", "text/html", nameof(GrpcStatusCode.Unauthenticated))]
    public async Task A_page_of_a_proxy_is_told_as_what_it_is(string status, string type, string expected)
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, (":status", status), ("content-type", type));
            await connection.SendAsync(FakeHttp2Connection.Data, 1, stream, "<html>Bad Gateway</html>"u8.ToArray());
        });
        GrpcException failure = await FailsAsync(server, Enum.Parse<GrpcStatusCode>(expected));
        Assert.True(failure.IsForeign);
        Assert.True(failure.IsEndpointFailure);
        Assert.Equal($"answers with HTTP {status}, {type}: expected gRPC", failure.Detail);
    }

    [Fact]
    public async Task A_server_that_speaks_only_http_1_is_told_as_that()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Uri endpoint = new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        using GrpcChannel channel = Open(endpoint);
        Task<RangeResponse> call = CallAsync(channel);
        using Socket peer = await listener.AcceptSocketAsync(_cancel);
        await peer.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"u8.ToArray(), _cancel);
        peer.Shutdown(SocketShutdown.Send);
        GrpcException failure = await Assert.ThrowsAsync<GrpcException>(() => call);
        Assert.True(failure.IsEndpointFailure);
        Assert.Contains("HTTP/2", failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], bool> Malformed { get; } = new()
    {
        { "compressed", FakeHttp2Connection.Frame(s_answer, flags: 1), true },
        { "2^31 bytes announced", [0, 0x80, 0, 0, 0], false },
        { "4 MiB and 1 byte announced", [0, 0, 0x40, 0, 1], false },
        { "cut in the header", [0, 0, 0], true },
        { "cut in the message", [0, 0, 0, 0, 2, 0x18], true },
        { "two messages", [.. FakeHttp2Connection.Frame(s_answer), .. FakeHttp2Connection.Frame(s_answer)], true },
        { "no message", [], true },
        { "a wrong wire type", FakeHttp2Connection.Frame([0x1a, 0]), true },
        { "a field beyond the message", FakeHttp2Connection.Frame([0x12, 0x7f, 0]), true },
        { "a group", FakeHttp2Connection.Frame([0x53, 0x53, 0x53]), true },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task Malformed_messages_are_refused(string what, byte[] body, bool isEnd)
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            if (body.Length > 0) await connection.SendAsync(FakeHttp2Connection.Data, 0, stream, body);
            if (isEnd) await connection.SendHeadersAsync(stream, isEnd: true, ("grpc-status", "0"));
        });
        using GrpcChannel channel = Open(server);
        GrpcException failure = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(channel));
        Assert.True(failure.Code is GrpcStatusCode.Internal or GrpcStatusCode.ResourceExhausted, $"{what}: {failure}");
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task An_answer_without_status_is_no_success()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            await connection.SendAsync(FakeHttp2Connection.Data, 1, stream, FakeHttp2Connection.Frame(s_answer));
        });
        GrpcException failure = await FailsAsync(server, GrpcStatusCode.Internal);
        Assert.False(failure.IsUnprocessed);
    }

    [Fact]
    public async Task A_message_that_comes_byte_by_byte_is_whole_in_the_end()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            foreach (byte one in FakeHttp2Connection.Frame(s_answer)) await connection.SendAsync(FakeHttp2Connection.Data, 0, stream, [one]);
            await connection.SendHeadersAsync(stream, isEnd: true, ("grpc-status", "0"));
        });
        using GrpcChannel channel = Open(server);
        Assert.True((await CallAsync(channel)).More);
    }

    [Fact]
    public async Task After_goaway_the_next_call_has_a_new_connection()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.ReplyAsync(stream, s_answer);
            await connection.GoAwayAsync(stream, 0);
        });
        using GrpcChannel channel = Open(server);
        for (int i = 1; i <= 3; i++)
        {
            Assert.True((await CallAsync(channel)).More);
            Assert.Equal(i, server.Connections);
        }
    }

    [Fact]
    public async Task A_connection_that_breaks_in_a_call_leaves_its_outcome_open()
    {
        using FakeHttp2Server server = new(async connection => await connection.NextRequestAsync());
        GrpcException failure = await FailsAsync(server, GrpcStatusCode.Unavailable);
        Assert.False(failure.IsUnprocessed);
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData(7u)] // REFUSED_STREAM: .NET tries such a stream again by itself, within bounds
    [InlineData(2u)]
    [InlineData(11u)]
    public async Task A_storm_of_resets_ends_the_call(uint error)
    {
        int requests = 0;
        using FakeHttp2Server server = FakeHttp2Server.ForEach((connection, stream) =>
        {
            Interlocked.Increment(ref requests);
            return connection.ResetAsync(stream, error);
        });
        GrpcException failure = await FailsAsync(server, GrpcStatusCode.Unavailable);
        Assert.False(failure.IsForeign);
        Assert.InRange(requests, 1, 10);
    }

    [Fact]
    public async Task An_endless_header_is_cut_off()
    {
        long sent = 0;
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            byte[] fields = FakeHttp2Connection.Block([.. Enumerable.Range(0, 16).Select(i => ($"x-{i}", new string('x', 900)))]);
            await connection.SendAsync(FakeHttp2Connection.Headers, 0, stream, FakeHttp2Connection.Block(s_good));
            while (true)
            {
                await connection.SendAsync(FakeHttp2Connection.Continuation, 0, stream, fields);
                sent += fields.Length;
            }
        });
        await FailsAsync(server, GrpcStatusCode.Unavailable);
        // What the socket buffers hold is not in our memory.
        Assert.InRange(sent, 0, 16 << 20);
    }

    [Fact]
    public async Task A_stalled_answer_is_given_up_at_the_deadline()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            await connection.SendAsync(FakeHttp2Connection.Data, 0, stream, [0, 0, 0]);
        });
        using GrpcChannel channel = Open(server);
        long started = Stopwatch.GetTimestamp();
        GrpcException failure = await Assert.ThrowsAsync<GrpcException>(() => channel.CallAsync(EtcdMethods.Range, new([1]), [], TimeSpan.FromMilliseconds(300), _cancel));
        Assert.Equal((GrpcStatusCode.DeadlineExceeded, "no answer within 0.3 s"), (failure.Code, failure.Detail));
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.25, 3);
    }

    [Fact]
    public async Task Nobody_there_leaves_nothing_open()
    {
        using GrpcChannel channel = Open(new Uri("http://127.0.0.1:1"));
        GrpcException failure = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(channel));
        Assert.Equal(GrpcStatusCode.Unavailable, failure.Code);
        Assert.True(failure.IsUnprocessed);
        Assert.StartsWith("http://127.0.0.1:1: no connection: Connection refused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_gives_its_messages_and_then_the_reason_of_its_end()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            byte[] two = [.. FakeHttp2Connection.Frame([0x18, 1]), .. FakeHttp2Connection.Frame([0x20, 1])];
            await connection.SendAsync(FakeHttp2Connection.Data, 0, stream, two);
            await connection.SendHeadersAsync(stream, isEnd: true, ("grpc-status", "14"), ("grpc-message", "etcdserver: no leader"));
        });
        using GrpcChannel channel = Open(server);
        using GrpcStream<WatchResponse> watch = await OpenAsync(channel);
        Assert.True((await watch.ReadAsync(_cancel)).Created);
        Assert.True((await watch.ReadAsync(_cancel)).Canceled);
        GrpcException end = await Assert.ThrowsAsync<GrpcException>(async () => await watch.ReadAsync(_cancel));
        Assert.Equal((GrpcStatusCode.Unavailable, "etcdserver: no leader"), (end.Code, end.Detail));
    }

    [Fact]
    public async Task A_stream_that_is_disposed_of_is_reset()
    {
        TaskCompletionSource<int> reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using FakeHttp2Server server = FakeHttp2Server.ForEach(async (connection, stream) =>
        {
            await connection.SendHeadersAsync(stream, isEnd: false, s_good);
            reset.SetResult(await connection.NextResetAsync());
        });
        using GrpcChannel channel = Open(server);
        (await OpenAsync(channel)).Dispose();
        Assert.Equal(1, await reset.Task.WaitAsync(TimeSpan.FromSeconds(5), _cancel));
    }

    [Fact]
    public async Task A_silent_connection_is_found_dead_by_its_pings()
    {
        using FakeHttp2Server server = FakeHttp2Server.ForEach((connection, stream) =>
        {
            connection.AnswersPings = false;
            return connection.SendHeadersAsync(stream, isEnd: false, s_good);
        });
        using GrpcChannel channel = Open(server);
        using GrpcStream<WatchResponse> watch = await OpenAsync(channel);
        long started = Stopwatch.GetTimestamp();
        GrpcException end = await Assert.ThrowsAsync<GrpcException>(() => watch.ReadAsync(_cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(25), _cancel));
        Assert.Equal(GrpcStatusCode.Unavailable, end.Code);
        // Silent for one interval, unanswered for another; the runtime looks every quarter of it.
        Assert.InRange(Stopwatch.GetElapsedTime(started), GrpcChannel.PingInterval, 3 * GrpcChannel.PingInterval);
    }

    private static GrpcChannel Open(FakeHttp2Server server) => Open(server.Endpoint);

    private static GrpcChannel Open(Uri endpoint) =>
        GrpcChannel.Open(endpoint, new EtcdTls(EtcdOptions.Create(endpoint.ToString(), "/p"), NullLogger.Instance), TimeProvider.System);

    private Task<RangeResponse> CallAsync(GrpcChannel channel) => channel.CallAsync(EtcdMethods.Range, new([1]), [], TimeSpan.FromSeconds(10), _cancel);

    private Task<GrpcStream<WatchResponse>> OpenAsync(GrpcChannel channel) =>
        channel.OpenAsync(EtcdMethods.Watch, new WatchRequest([1], [2], 1), [], TimeSpan.FromSeconds(10), _cancel);

    private async Task<GrpcException> FailsAsync(FakeHttp2Server server, GrpcStatusCode expected)
    {
        using GrpcChannel channel = Open(server);
        GrpcException failure = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(channel));
        Assert.Equal(expected, failure.Code);
        Assert.DoesNotContain('\n', failure.Message);
        return failure;
    }
}
