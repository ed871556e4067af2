using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Health;

/// <summary>
/// Answers /healthz and /readyz over HTTP, as kubelets and load balancers ask. Whatever a client does costs at most one of <see cref="MaxConnections"/>
/// places for a few seconds and <see cref="HealthRequest.MaxSize"/> bytes.
/// </summary>
internal sealed class HealthServer : IDisposable
{
    /// <summary>Served at once; more wait in the kernel's queue.</summary>
    internal const int MaxConnections = 64;

    private static readonly TimeSpan s_patienceAtStop = TimeSpan.FromMilliseconds(500);

    private readonly Socket _listener;
    private readonly Func<bool> _isReady;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly Task _accepting;

    private HealthServer(Socket listener, Func<bool> isReady, ILogger log)
    {
        (_listener, _isReady, _log) = (listener, isReady, log);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>The address it listens on, with the port the kernel chose where 0 was asked for.</summary>
    internal IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Listens and begins to answer.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="isReady">What /readyz tells; called from any thread.</param>
    /// <param name="log">Failures of accept(2).</param>
    /// <exception cref="HealthServerException">The address or port cannot be had.</exception>
    internal static HealthServer Start(IPEndPoint endPoint, Func<bool> isReady, ILogger log)
    {
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // .NET's bind sets SO_REUSEADDR for TCP by itself, which old connections in TIME_WAIT ask for. Its own ReuseAddress option
            // would add SO_REUSEPORT, by which a second daemon takes half of the requests.
            listener.Bind(endPoint);
            listener.Listen(MaxConnections);
            return new(listener, isReady, log);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new HealthServerException($"the health server cannot listen on {endPoint}: {e.Message}; choose another -healthz-ip or -healthz-port");
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _accepting.Wait(s_patienceAtStop);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_stop.Token).ConfigureAwait(false);
                Socket client = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                _ = ServeAsync(client);
            }
            catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException e)
            {
                _places.Release();
                HealthLog.AcceptFailed(_log, e.Message);
                // EMFILE, ENOMEM: the waiting client is still in the queue, so an immediate retry would spin.
                await Task.Delay(100, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var connection = new HealthConnection(client);
            await connection.ServeAsync(_isReady, _stop.Token).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }
}
