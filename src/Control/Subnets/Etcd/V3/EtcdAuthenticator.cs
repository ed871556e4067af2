using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>
/// Keeps the token of one user. etcd forgets a token after five idle minutes, at a restart, and when users change; it is then fetched anew, by one call
/// at a time, and with growing pauses where that does not help: checking a password costs etcd a tenth of a second of CPU (bcrypt). Safe for concurrent use.
/// </summary>
internal sealed class EtcdAuthenticator(EtcdCredentials credentials, TimeProvider time, Random random, ILogger log) : IDisposable
{
    /// <summary>A token that is refused sooner than this after it was made did not run out.</summary>
    private static readonly TimeSpan s_shortestLife = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private string? _token;
    private bool _isOff;
    private long _issuedAt;
    private int _failures;
    private long _retryAt = long.MinValue;
    private string _reason = "";

    public void Dispose() => _turn.Dispose();

    /// <summary>
    /// True where etcd wants a token, or another one than it got; it did nothing else. Besides Unauthenticated these are two texts of
    /// etcdserver/api/v3rpc/rpctypes: no token although authentication was switched on, and a token from before users were changed.
    /// </summary>
    internal static bool IsRefusal(GrpcException e) => e.Code == GrpcStatusCode.Unauthenticated
        || (e.Code == GrpcStatusCode.InvalidArgument
            && (e.Detail.Contains("user name is empty", StringComparison.Ordinal) || e.Detail.Contains("revision of auth store is old", StringComparison.Ordinal)));

    /// <summary>The token for the next call; null where authentication is off in etcd.</summary>
    /// <exception cref="GrpcException">There is none, or it is too early to ask again. Never an exception of a call that was sent.</exception>
    internal async Task<string?> GetTokenAsync(GrpcChannel channel, TimeSpan timeout, CancellationToken cancel)
    {
        if (Known(channel) is { } known) return known.Token;
        using CancellationTokenSource expiry = new(timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel, expiry.Token);
        try
        {
            await _turn.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new GrpcException(GrpcStatusCode.DeadlineExceeded, channel.Name, "authentication takes too long", e) { IsUnprocessed = true };
        }
        try
        {
            return Known(channel) is { } meanwhile ? meanwhile.Token : await AuthenticateAsync(channel, timeout, cancel).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Etcd did not take this token: the next call gets another one.</summary>
    internal void Refused(string? token)
    {
        lock (_lock)
        {
            // Others may have noticed, and fetched a new one, before.
            if (token != _token) return;
            bool wasShort = (token is not null || _isOff) && time.GetElapsedTime(_issuedAt) < s_shortestLife;
            _token = null;
            _isOff = false;
            if (!wasShort) _failures = 0;
            // Once is what a restart or another member looks like.
            else if (++_failures > 1) Pause("etcd refuses the tokens it gives");
        }
    }

    private (string? Token, bool _)? Known(GrpcChannel channel)
    {
        lock (_lock)
        {
            if (_token is not null || _isOff) return (_token, true);
            if (time.GetTimestamp() < _retryAt) throw new GrpcException(GrpcStatusCode.Unauthenticated, channel.Name, _reason) { IsUnprocessed = true };
            return null;
        }
    }

    private async Task<string?> AuthenticateAsync(GrpcChannel channel, TimeSpan timeout, CancellationToken cancel)
    {
        string? token = null;
        try
        {
            AuthenticateResponse answer = await channel.CallAsync(EtcdMethods.Authenticate, new(credentials), [], timeout, cancel).ConfigureAwait(false);
            token = answer.Token;
        }
        catch (GrpcException e) when (e.Code == GrpcStatusCode.FailedPrecondition)
        {
            // "authentication is not enabled". etcd's own client goes on without a token too.
            EtcdV3Log.AuthenticationIsOff(log, credentials.UserName);
        }
        catch (GrpcException e)
        {
            if (!e.IsEndpointFailure)
            {
                lock (_lock)
                {
                    _failures++;
                    Pause($"user {credentials}: {e.Detail}");
                }
            }
            throw e.AsUnprocessed();
        }
        lock (_lock)
        {
            _token = token;
            _isOff = token is null;
            _issuedAt = time.GetTimestamp();
            return token;
        }
    }

    /// <summary>Under the lock.</summary>
    private void Pause(string reason)
    {
        _reason = reason;
        _retryAt = time.GetTimestamp() + (long)(BackOff.After(_failures, random).TotalSeconds * time.TimestampFrequency);
    }
}
