using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.ControlSocket;

/// <summary>
/// Serves the control socket. Each connection is one request; whatever a client does costs at most one of
/// <see cref="ControlProtocol.MaxConnections"/> places for the length of its deadlines, and never the data path.
/// </summary>
internal sealed class ControlServer : IDisposable
{
    private static readonly TimeSpan s_patienceAtStop = TimeSpan.FromMilliseconds(200);

    private readonly ControlSocketFile _file;
    private readonly IControlHandler _handler;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _bulk = new(2);
    private readonly Task _accepting;
    private int _connections;

    private ControlServer(ControlSocketFile file, IControlHandler handler, ILogger log)
    {
        (_file, _handler, _log) = (file, handler, log);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Begins to answer.</summary>
    /// <param name="file">The place; owned by the server from here on.</param>
    /// <param name="handler">Answers the requests.</param>
    /// <param name="log">Refused clients and failures.</param>
    internal static ControlServer Start(ControlSocketFile file, IControlHandler handler, ILogger log) => new(file, handler, log);

    /// <summary>Connections being served.</summary>
    internal int Connections => Volatile.Read(ref _connections);

    /// <summary>Takes the socket away, and gives running requests a moment to end.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _file.Dispose();
        _accepting.Wait(s_patienceAtStop);
        SpinWait.SpinUntil(() => Connections == 0, s_patienceAtStop);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _file.Listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException e)
            {
                // EMFILE, ENFILE, ENOMEM: the waiting client is still in the queue, so an immediate retry would spin.
                ControlLog.AcceptFailed(_log, e.Message);
                await Task.Delay(100, CancellationToken.None).ConfigureAwait(false);
                continue;
            }
            _ = ServeAsync(client, Interlocked.Increment(ref _connections));
        }
    }

    private async Task ServeAsync(Socket client, int connections)
    {
        try
        {
            using var connection = new ControlConnection(client, _bulk, _log);
            if (connections > ControlProtocol.MaxConnections)
                await connection.RefuseAsync(ControlErrorCode.Busy, "too many connections at once; try again").ConfigureAwait(false);
            else
                await connection.ServeAsync(_handler, _stop.Token).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }
}
