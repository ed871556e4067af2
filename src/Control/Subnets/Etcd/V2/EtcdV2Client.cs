namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>
/// Requests of the keys API on whichever endpoint works. Every one ends within <see cref="DefaultTimeout"/>. A read is repeated on the other endpoints; a
/// write only where it certainly did not get through, as what a write without an answer did is unknown. Throws <see cref="StoreUnavailableException"/>.
/// Safe for concurrent use.
/// </summary>
/// <param name="exchange">Owned from here on.</param>
/// <param name="endpoints">Those of the exchange's options; owned from here on.</param>
/// <param name="time">Deadlines.</param>
/// <param name="timeout"><see cref="DefaultTimeout"/> if null.</param>
internal sealed class EtcdV2Client(EtcdV2Exchange exchange, EndpointPool<Uri> endpoints, TimeProvider time, TimeSpan? timeout = null) : IDisposable
{
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Longest wait for an event. Shorter than what proxies allow an idle request (60 s is common), and bounds how long a member that
    /// lost its cluster goes unnoticed.
    /// </summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>How much of the timeout one endpoint gets while there are others to ask.</summary>
    private static readonly TimeSpan s_attemptTimeout = TimeSpan.FromSeconds(2);

    private readonly TimeSpan _timeout = timeout ?? DefaultTimeout;

    public void Dispose()
    {
        exchange.Dispose();
        endpoints.Dispose();
    }

    /// <summary>An answer, be it one of etcd's errors.</summary>
    internal async Task<EtcdV2Answer> CallAsync(EtcdV2Request request, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        List<string> failures = [];
        for (int attempt = 1; ; attempt++)
        {
            Uri endpoint = endpoints.Pick();
            TimeSpan left = _timeout - time.GetElapsedTime(start);
            TimeSpan limit = request.IsRepeatable && attempt < endpoints.Count && left > s_attemptTimeout ? s_attemptTimeout : left;
            try
            {
                return await AttemptAsync(endpoint, request, limit, patience: null, cancel).ConfigureAwait(false);
            }
            catch (EtcdV2Exception e)
            {
                failures.Add(e.Message);
                bool isRepeatable = request.IsRepeatable || !e.WasSent;
                if (!isRepeatable || attempt >= endpoints.Count || time.GetElapsedTime(start) >= _timeout)
                    throw new StoreUnavailableException($"etcd v2: {string.Join("; ", failures)}", e);
            }
        }
    }

    /// <summary>Waits for one event, or for <see cref="Patience"/>. Asks one endpoint only; the next call asks another where it failed.</summary>
    internal async Task<EtcdV2Answer> PollAsync(EtcdV2Request request, CancellationToken cancel)
    {
        try
        {
            return await AttemptAsync(endpoints.Pick(), request, _timeout, Patience, cancel).ConfigureAwait(false);
        }
        catch (EtcdV2Exception e)
        {
            throw new StoreUnavailableException($"etcd v2: {e.Message}", e);
        }
    }

    private async Task<EtcdV2Answer> AttemptAsync(Uri endpoint, EtcdV2Request request, TimeSpan limit, TimeSpan? patience, CancellationToken cancel)
    {
        try
        {
            EtcdV2Answer answer = await exchange.SendAsync(endpoint, request, limit, patience, cancel).ConfigureAwait(false);
            if (answer.ErrorCode is EtcdV2Error.RaftInternal or EtcdV2Error.LeaderElection)
                throw new EtcdV2Exception(endpoint, Describe(answer.Body!), wasSent: true);
            endpoints.Succeeded(endpoint);
            return answer;
        }
        catch (EtcdV2Exception e)
        {
            endpoints.Failed(endpoint, e.IsUnserved ? null : e.Reason);
            throw;
        }
    }

    /// <summary>An error in etcd's words, as one line.</summary>
    internal static string Describe(EtcdV2Response error) =>
        $"error {error.ErrorCode}: {Tunnels.InvalidInputException.Quote($"{error.Message} ({error.Cause})", limit: 200)[1..^1]}";
}
