using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>
/// Calls of etcd's v3 API on whichever endpoint works. Every call ends within <see cref="Timeout"/>. A read is repeated on the other endpoints; a write only
/// where it certainly was not taken, as what a write without an answer did is unknown. Throws <see cref="GrpcException"/>. Safe for concurrent use.
/// </summary>
/// <param name="channels">Owned from here on.</param>
/// <param name="authenticator">Owned from here on; null without a user.</param>
/// <param name="time">Deadlines.</param>
/// <param name="timeout"><see cref="DefaultTimeout"/> if null.</param>
internal sealed class EtcdV3Client(EndpointPool<GrpcChannel> channels, EtcdAuthenticator? authenticator, TimeProvider time, TimeSpan? timeout = null) : IDisposable
{
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How much of the timeout one endpoint gets while there are others to ask.</summary>
    private static readonly TimeSpan s_attemptTimeout = TimeSpan.FromSeconds(2);

    /// <summary>With less than this left, no further attempt is begun.</summary>
    private static readonly TimeSpan s_shortestAttempt = TimeSpan.FromMilliseconds(50);

    private static readonly KeyValuePair<string, string> s_requireLeader = new("hasleader", "true");

    internal TimeSpan Timeout { get; } = timeout ?? DefaultTimeout;

    public void Dispose()
    {
        channels.Dispose();
        authenticator?.Dispose();
    }

    internal Task<RangeResponse> RangeAsync(RangeRequest request, CancellationToken cancel) => CallAsync(EtcdMethods.Range, request, isRepeatable: true, cancel);

    internal Task<HeaderResponse> PutAsync(PutRequest request, CancellationToken cancel) => CallAsync(EtcdMethods.Put, request, isRepeatable: false, cancel);

    internal Task<TxnResponse> TxnAsync(TxnRequest request, CancellationToken cancel) => CallAsync(EtcdMethods.Txn, request, isRepeatable: false, cancel);

    /// <summary>May be repeated: a lease nobody knows of runs out by itself.</summary>
    internal Task<LeaseResponse> GrantAsync(long seconds, CancellationToken cancel) =>
        CallAsync(EtcdMethods.LeaseGrant, new LeaseGrantRequest(seconds), isRepeatable: true, cancel);

    internal Task<HeaderResponse> RevokeAsync(long lease, CancellationToken cancel) =>
        CallAsync(EtcdMethods.LeaseRevoke, new LeaseRevokeRequest(lease), isRepeatable: true, cancel);

    internal Task<LeaseResponse> TimeToLiveAsync(long lease, CancellationToken cancel) =>
        CallAsync(EtcdMethods.LeaseTimeToLive, new LeaseTimeToLiveRequest(lease), isRepeatable: true, cancel);

    /// <summary>Opens a watch and waits until it stands. The caller disposes of it.</summary>
    internal Task<EtcdWatch> WatchAsync(WatchRequest request, CancellationToken cancel) =>
        RunAsync((channel, metadata, limit) => OpenWatchAsync(channel, request, metadata, limit, cancel), isRepeatable: true, cancel);

    private Task<TResponse> CallAsync<TRequest, TResponse>(GrpcMethod<TRequest, TResponse> method, TRequest request, bool isRepeatable, CancellationToken cancel)
        where TRequest : IProtobufMessage
        where TResponse : class, IProtobufParsable<TResponse> =>
        RunAsync((channel, metadata, limit) => channel.CallAsync(method, request, metadata, limit, cancel), isRepeatable, cancel);

    private async Task<T> RunAsync<T>(Func<GrpcChannel, List<KeyValuePair<string, string>>, TimeSpan, Task<T>> call, bool isRepeatable, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        bool isRenewed = false;
        for (int attempt = 1; ;)
        {
            GrpcChannel channel = channels.Pick();
            TimeSpan left = Timeout - time.GetElapsedTime(start);
            TimeSpan limit = isRepeatable && attempt < channels.Count && left > s_attemptTimeout ? s_attemptTimeout : left;
            string? token = null;
            try
            {
                if (authenticator is not null) token = await authenticator.GetTokenAsync(channel, limit, cancel).ConfigureAwait(false);
                T result = await call(channel, token is null ? [] : [new("token", token)], limit).ConfigureAwait(false);
                channels.Succeeded(channel);
                return result;
            }
            catch (GrpcException e)
            {
                // A connection torn down by the caller's own cancelling may show as a failure of the endpoint.
                cancel.ThrowIfCancellationRequested();
                bool isShort = Timeout - time.GetElapsedTime(start) < s_shortestAttempt;
                if (!e.IsEndpointFailure)
                {
                    channels.Succeeded(channel);
                    // Not where the authenticator itself gave up.
                    if (authenticator is null || isRenewed || isShort || e.IsUnprocessed || !EtcdAuthenticator.IsRefusal(e)) throw;
                    authenticator.Refused(token);
                    isRenewed = true;
                    continue;
                }
                channels.Failed(channel, e.Detail);
                if (isShort || !(isRepeatable || e.IsUnprocessed) || !IsWorthRepeating(e, attempt)) throw;
                attempt++;
            }
        }
    }

    /// <summary>Each other endpoint once; the only one once more where a connection that stood broke, as when etcd was restarted.</summary>
    private bool IsWorthRepeating(GrpcException e, int attempt) =>
        attempt < channels.Count || (attempt == 1 && !e.IsUnprocessed && !e.IsForeign && e.Code == GrpcStatusCode.Unavailable);

    private async Task<EtcdWatch> OpenWatchAsync(
        GrpcChannel channel, WatchRequest request, List<KeyValuePair<string, string>> metadata, TimeSpan limit, CancellationToken cancel)
    {
        using CancellationTokenSource expiry = new(limit, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        // A member that has lost the leader then ends the watch, instead of being silent about what the others decide.
        metadata.Add(s_requireLeader);
        GrpcStream<WatchResponse> stream = await channel.OpenAsync(EtcdMethods.Watch, request, metadata, limit, cancel).ConfigureAwait(false);
        EtcdWatch watch = new(channel, stream, channels, request.StartRevision);
        try
        {
            await watch.WaitUntilCreatedAsync(deadline.Token).ConfigureAwait(false);
            return watch;
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            watch.Dispose();
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, channel.Name, $"no watch within {limit.TotalSeconds:0.#} s", e);
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }
}
