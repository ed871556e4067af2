using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>A watch that stands. Throws <see cref="GrpcException"/> when it ends; OutOfRange where the changes asked for were compacted away.</summary>
internal sealed class EtcdWatch : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly GrpcStream<WatchResponse> _stream;
    private readonly EndpointPool<GrpcChannel> _channels;
    private readonly long _startRevision;

    /// <summary>Owns the stream; tells the pool if the endpoint fails.</summary>
    internal EtcdWatch(GrpcChannel channel, GrpcStream<WatchResponse> stream, EndpointPool<GrpcChannel> channels, long startRevision)
    {
        _channel = channel;
        _stream = stream;
        _channels = channels;
        _startRevision = startRevision;
    }

    /// <summary>Of the answer that told that the watch stands: its revision is what this member had seen.</summary>
    internal ResponseHeader Header { get; private set; } = ResponseHeader.None;

    public void Dispose() => _stream.Dispose();

    /// <summary>The first step after opening.</summary>
    internal async Task WaitUntilCreatedAsync(CancellationToken cancel)
    {
        WatchResponse response = await _stream.ReadAsync(cancel).ConfigureAwait(false);
        ThrowIfCanceled(response);
        if (!response.Created) throw new GrpcException(GrpcStatusCode.Internal, _channel.Name, "answers a watch with something else than that it stands");
        Header = response.Header;
    }

    /// <summary>
    /// The next answer. One without events is a progress notification: a sign of life and nothing more. Its revision is not to be resumed from, because
    /// etcd before 3.4.25 may send it ahead of events that belong before it.
    /// </summary>
    internal async ValueTask<WatchResponse> ReadAsync(CancellationToken cancel)
    {
        try
        {
            WatchResponse response = await _stream.ReadAsync(cancel).ConfigureAwait(false);
            ThrowIfCanceled(response);
            return response;
        }
        catch (GrpcException e) when (e.IsEndpointFailure)
        {
            cancel.ThrowIfCancellationRequested();
            _channels.Failed(_channel, e.Detail);
            throw;
        }
    }

    private void ThrowIfCanceled(WatchResponse response)
    {
        if (response.CompactRevision > 0)
        {
            throw new GrpcException(
                GrpcStatusCode.OutOfRange, _channel.Name, $"the changes from revision {_startRevision} on were compacted away up to {response.CompactRevision}");
        }
        if (!response.Canceled) return;
        string reason = GrpcStatus.Printable(response.CancelReason);
        // etcd 3.4 says "permission denied" here also for a token that ran out (auth.isWatchPermitted), so that one deserves another token as well.
        GrpcStatusCode code = reason.Contains("permission denied", StringComparison.Ordinal) || reason.Contains("auth token", StringComparison.Ordinal)
            ? GrpcStatusCode.Unauthenticated
            : GrpcStatusCode.FailedPrecondition;
        throw new GrpcException(code, _channel.Name, $"the watch was cancelled: {reason}");
    }
}
