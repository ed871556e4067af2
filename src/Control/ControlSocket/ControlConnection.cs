using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;

namespace FlannelFast.Control.ControlSocket;

/// <summary>One client from connect to close. Nothing a client does makes a method here throw.</summary>
internal sealed class ControlConnection(Socket client, SemaphoreSlim bulk, ILogger log) : IDisposable
{
    /// <summary>Where unwanted bytes go. Pooled: hundreds of clients that close badly at once need a few of them, not one each.</summary>
    private static readonly ObjectPool<byte[]> s_waste = new DefaultObjectPool<byte[]>(new WasteBufferPolicy(), maximumRetained: 8);

    private readonly NetworkStream _stream = new(client, ownsSocket: true);

    public void Dispose() => _stream.Dispose();

    /// <summary>Reads the request, answers it.</summary>
    internal async Task ServeAsync(IControlHandler handler, CancellationToken stop)
    {
        try
        {
            PeerCredentials credentials = PeerCredentials.Of(client);
            if (!credentials.MayControl)
            {
                ControlLog.Denied(log, credentials.UserId, credentials.ProcessId);
                await RefuseAsync(ControlErrorCode.Denied, "only root and the user of the daemon may control it").ConfigureAwait(false);
                return;
            }
            ControlResponse? response = await AnswerAsync(handler, stop).ConfigureAwait(false);
            if (response is not null) await SendAsync(response, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionLoss(e))
        {
            ControlLog.ConnectionLost(log, e.Message);
        }
        catch (Exception e)
        {
            // The last resort for a defect: the client learns of it, the daemon goes on forwarding.
            ControlLog.RequestFailed(log, e);
            await RefuseAsync(ControlErrorCode.Failed, "the daemon failed to answer; its log says why").ConfigureAwait(false);
        }
    }

    /// <summary>Answers with an error without reading the request.</summary>
    internal async Task RefuseAsync(string code, string message)
    {
        try
        {
            await SendAsync(ControlResponse.Failure(code, message), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (IsConnectionLoss(e))
        {
            ControlLog.ConnectionLost(log, e.Message);
        }
    }

    private static bool IsConnectionLoss(Exception e) =>
        e is IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    private async Task<ControlResponse?> AnswerAsync(IControlHandler handler, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(ControlProtocol.ReadDeadline);
        PipeReader reader = PipeReader.Create(_stream, new(bufferSize: 16 << 10, leaveOpen: true));
        ControlRequest? request;
        try
        {
            request = await RequestReader.ReadAsync(reader, bulk, deadline.Token).ConfigureAwait(false);
        }
        catch (JsonException e)
        {
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"no request: {Tunnels.JsonErrorText.Explain(e)}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return ControlResponse.Failure(ControlErrorCode.BadRequest, $"no request within {ControlProtocol.ReadDeadline.TotalSeconds:0} seconds");
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
        return request is null ? null : handler.Handle(request);
    }

    private async Task SendAsync(ControlResponse response, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(ControlProtocol.WriteDeadline);
        PipeWriter writer = PipeWriter.Create(_stream, new(leaveOpen: true));
        await JsonSerializer.SerializeAsync(writer, response, ControlJsonContext.Default.ControlResponse, deadline.Token).ConfigureAwait(false);
        writer.GetSpan(1)[0] = (byte)'\n';
        writer.Advance(1);
        await writer.FlushAsync(deadline.Token).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
        await LingerAsync(stop).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes what the client still sends, within bounds, until it closes. A unix socket that is closed with unread bytes gives
    /// the other end ECONNRESET (unix_release_sock in net/unix/af_unix.c), which makes many clients throw away the answer.
    /// </summary>
    private async Task LingerAsync(CancellationToken stop)
    {
        client.Shutdown(SocketShutdown.Send);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(ControlProtocol.LingerDeadline);
        byte[] waste = s_waste.Get();
        try
        {
            int left = ControlProtocol.MaxLinger;
            for (int got = 1; got > 0 && left > 0; left -= got)
                got = await client.ReceiveAsync(waste, SocketFlags.None, deadline.Token).ConfigureAwait(false);
        }
        finally
        {
            s_waste.Return(waste);
        }
    }

    private sealed class WasteBufferPolicy : PooledObjectPolicy<byte[]>
    {
        public override byte[] Create() => new byte[16 << 10];

        public override bool Return(byte[] obj) => true;
    }
}
