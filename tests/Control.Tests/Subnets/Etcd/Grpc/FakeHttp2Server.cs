using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Control.Tests.Subnets.Etcd.Grpc;

/// <summary>Speaks HTTP/2 without TLS, frame by frame as a test wants it, also wrongly.</summary>
internal sealed class FakeHttp2Server : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _connections;

    /// <param name="serve">What happens on each connection; the connection is closed when it ends.</param>
    internal FakeHttp2Server(Func<FakeHttp2Connection, Task> serve)
    {
        _listener.Start();
        _accepting = AcceptAsync(serve);
    }

    internal Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>How many were made so far.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>A server that does the same for every request.</summary>
    internal static FakeHttp2Server ForEach(Func<FakeHttp2Connection, int, Task> serve) => new(async connection =>
    {
        while (await connection.NextRequestAsync() is { } stream) await serve(connection, stream);
    });

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _accepting.Wait();
        _stop.Dispose();
    }

    private async Task AcceptAsync(Func<FakeHttp2Connection, Task> serve)
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(socket, serve));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket socket, Func<FakeHttp2Connection, Task> serve)
    {
        using FakeHttp2Connection connection = new(socket, _stop.Token);
        try
        {
            await serve(connection);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client went away, or the test is over.
        }
    }
}
