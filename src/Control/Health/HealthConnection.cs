using System.Net.Sockets;
using System.Text;

namespace FlannelFast.Control.Health;

/// <summary>One client from accept to close: one request, one answer. Nothing it does makes a method here throw.</summary>
internal sealed class HealthConnection(Socket client) : IDisposable
{
    /// <summary>For the whole exchange. Kubelets wait one second for an answer by default.</summary>
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    public void Dispose() => client.Dispose();

    internal async Task ServeAsync(Func<bool> isReady, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Deadline);
        byte[] buffer = new byte[HealthRequest.MaxSize];
        try
        {
            int received = await ReceiveHeadAsync(buffer, deadline.Token).ConfigureAwait(false);
            if (received == 0) return;
            (int code, string text, bool withBody) = Answer(buffer.AsSpan(0, received), isReady);
            await SendAsync(code, text, withBody, deadline.Token).ConfigureAwait(false);
            // Closing with unread bytes would reset the connection, and the answer with it (RFC 9112 section 9.6).
            client.Shutdown(SocketShutdown.Send);
            for (int i = 0; i < 8 && await client.ReceiveAsync(buffer, SocketFlags.None, deadline.Token).ConfigureAwait(false) > 0; i++) { }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A client that went away or took too long: there is nobody to tell.
        }
    }

    private async Task<int> ReceiveHeadAsync(byte[] buffer, CancellationToken cancel)
    {
        int received = 0;
        while (received < buffer.Length && !HealthRequest.IsComplete(buffer.AsSpan(0, received)))
        {
            int count = await client.ReceiveAsync(buffer.AsMemory(received), SocketFlags.None, cancel).ConfigureAwait(false);
            if (count == 0) break;
            received += count;
        }
        return received;
    }

    private static (int Code, string Text, bool WithBody) Answer(ReadOnlySpan<byte> head, Func<bool> isReady)
    {
        if (!HealthRequest.IsComplete(head) || HealthRequest.Parse(head) is not { } request)
            return (head.Length == HealthRequest.MaxSize ? 431 : 400, "this server answers GET /healthz and GET /readyz", true);
        (int code, string text) = request.Path switch
        {
            "/healthz" => (200, "flanneld is running"),
            "/readyz" => isReady() ? (200, "flanneld is ready") : (503, "flanneld is not ready yet"),
            _ => (404, "404 page not found\n"),
        };
        // Whatever the method: Go's ServeMux does not ask either.
        return (code, text, request.Method != "HEAD");
    }

    private async Task SendAsync(int code, string text, bool withBody, CancellationToken cancel)
    {
        string reason = code switch
        {
            200 => "OK",
            404 => "Not Found",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Bad Request",
        };
        byte[] answer = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{(withBody ? text : "")}");
        await client.SendAsync(answer, SocketFlags.None, cancel).ConfigureAwait(false);
    }
}
