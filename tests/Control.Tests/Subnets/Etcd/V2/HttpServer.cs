using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V2;

/// <summary>
/// Takes HTTP requests on a loopback port and answers them with whatever bytes a test wants, also such as no server should send. One
/// connection for each request.
/// </summary>
internal sealed class HttpServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();

    /// <param name="answer">Called for each request, at the same time for several; gets the request line, and the connection to answer on.</param>
    public HttpServer(Func<string, Stream, CancellationToken, Task> answer)
    {
        _listener.Start();
        _ = AcceptAsync(answer);
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Everything that arrived: head and body of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Sends the same to everybody and closes the connection.</summary>
    public static HttpServer Answering(string bytes) => new((_, stream, cancel) => WriteAsync(stream, bytes, cancel));

    public static Task WriteAsync(Stream stream, string bytes, CancellationToken cancel) => stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), cancel).AsTask();

    /// <summary>An answer as etcd gives it.</summary>
    public static string Json(string body, int status = 200, long index = 7) =>
        $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nX-Etcd-Index: {index}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}";

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync(Func<string, Stream, CancellationToken, Task> answer)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), answer);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client, Func<string, Stream, CancellationToken, Task> answer)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                string request = await ReadRequestAsync(stream);
                Requests.Enqueue(request);
                await answer(request[..request.IndexOf('\r')], stream, _stop.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client had enough, which is what many tests are about.
            }
        }
    }

    private async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[65536];
        while (true)
        {
            int read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0) throw new IOException("the request broke off");
            text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            string soFar = text.ToString();
            int end = soFar.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0) continue;
            int length = 0;
            foreach (string line in soFar[..end].Split("\r\n"))
            {
                if (line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line[16..]);
            }
            if (soFar.Length >= end + 4 + length) return soFar;
        }
    }
}
