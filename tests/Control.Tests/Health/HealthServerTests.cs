using System.Net;
using System.Net.Sockets;
using System.Text;
using FlannelFast.Control.Health;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Health;

public sealed class HealthServerTests : IDisposable
{
    private readonly HealthServer _server;
    private volatile bool _ready;

    public HealthServerTests() => _server = HealthServer.Start(new(IPAddress.Loopback, 0), () => _ready, NullLogger.Instance);

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Healthz_answers_always_and_readyz_when_it_is_so()
    {
        using var client = new HttpClient { BaseAddress = new($"http://{_server.EndPoint}") };
        Assert.Equal("flanneld is running", await client.GetStringAsync("/healthz", TestContext.Current.CancellationToken));
        using (HttpResponseMessage early = await client.GetAsync("/readyz", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
            Assert.Equal("flanneld is not ready yet", await early.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        _ready = true;
        Assert.Equal("flanneld is ready", await client.GetStringAsync("/readyz?verbose=1", TestContext.Current.CancellationToken));
        using HttpResponseMessage other = await client.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Theory]
    [InlineData("GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK")]
    [InlineData("GET /healthz HTTP/1.1\nHost: x\n\n", "HTTP/1.1 200 OK")]
    [InlineData("POST /healthz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK")]
    [InlineData("HEAD /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK")]
    [InlineData("GET /healthz\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("GET  /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("GET http://x/healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("GET /healthz HTTP/2.0\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("\u0016\u0003\u0001\u0002\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("GET /healthz HTTP/1.1\r\nHost", "HTTP/1.1 400 Bad Request")]
    public void Any_request_gets_one_answer(string request, string statusLine)
    {
        string answer = Exchange(Encoding.Latin1.GetBytes(request));
        Assert.Equal(statusLine, answer.Split("\r\n")[0]);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        int body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        Assert.Equal(request.StartsWith("HEAD", StringComparison.Ordinal) ? 0 : int.Parse(answer.Split("Content-Length: ")[1].Split("\r\n")[0]), answer.Length - body);
    }

    [Fact]
    public void A_head_without_end_is_cut_off_at_the_limit() => Assert.StartsWith(
        "HTTP/1.1 431 ", Exchange(Encoding.Latin1.GetBytes("GET /healthz HTTP/1.1\r\nX: " + new string('x', 100_000))), StringComparison.Ordinal);

    [Fact]
    public void One_byte_at_a_time_is_fast_enough()
    {
        using Socket client = Connect();
        foreach (byte b in "GET /healthz HTTP/1.1\r\n\r\n"u8.ToArray()) client.Send([b]);
        Assert.StartsWith("HTTP/1.1 200 OK", ReadAll(client), StringComparison.Ordinal);
    }

    [Fact]
    public void Clients_that_say_nothing_do_not_keep_others_out()
    {
        Socket[] silent = [.. Enumerable.Range(0, HealthServer.MaxConnections - 1).Select(_ => Connect())];
        try
        {
            Assert.StartsWith("HTTP/1.1 200 OK", Exchange("GET /healthz HTTP/1.1\r\n\r\n"u8.ToArray()), StringComparison.Ordinal);
            // Their time runs out: closed without an answer, because there was no request.
            silent[0].ReceiveTimeout = (int)HealthConnection.Deadline.TotalMilliseconds + 2000;
            Assert.Equal(0, silent[0].Receive(new byte[1]));
        }
        finally
        {
            foreach (Socket socket in silent) socket.Dispose();
        }
    }

    [Fact]
    public void More_clients_than_places_are_served_when_places_are_free()
    {
        Socket[] silent = [.. Enumerable.Range(0, HealthServer.MaxConnections).Select(_ => Connect())];
        using Socket late = Connect();
        late.Send("GET /healthz HTTP/1.1\r\n\r\n"u8);
        foreach (Socket socket in silent) socket.Dispose();
        Assert.StartsWith("HTTP/1.1 200 OK", ReadAll(late), StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_taken_is_refused() =>
        Assert.Throws<HealthServerException>(() => HealthServer.Start(_server.EndPoint, () => true, NullLogger.Instance));

    [Fact]
    public void Stopping_ends_running_connections()
    {
        IPEndPoint place = _server.EndPoint;
        using Socket client = Connect();
        client.Send("GET /healthz"u8);
        _server.Dispose();
        // Reset rather than closed where the kernel had accepted for us, or bytes were unread.
        Assert.True(HasEnded(client));
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<SocketException>(() => late.Connect(place));
    }

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        client.Connect(_server.EndPoint);
        return client;
    }

    private string Exchange(byte[] request)
    {
        using Socket client = Connect();
        client.Send(request);
        client.Shutdown(SocketShutdown.Send);
        return ReadAll(client);
    }

    private static bool HasEnded(Socket client)
    {
        try
        {
            return client.Receive(new byte[1]) == 0;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    private static string ReadAll(Socket client)
    {
        var answer = new List<byte>();
        byte[] buffer = new byte[4096];
        for (int count; (count = client.Receive(buffer)) > 0;) answer.AddRange(buffer.AsSpan(0, count));
        return Encoding.Latin1.GetString([.. answer]);
    }
}
