using System.Net.Sockets;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>Sorts what HTTP and sockets throw, so that above there is one kind of error: <see cref="GrpcException"/>.</summary>
internal static class GrpcFailure
{
    /// <summary>True for what a network and a broken server can cause; not for the caller's own cancelling, nor for defects.</summary>
    internal static bool IsExpected(Exception e, CancellationToken cancel) =>
        e is OperationCanceledException ? !cancel.IsCancellationRequested : e is HttpRequestException or IOException or SocketException or InvalidDataException;

    /// <summary>The same as one line that names the endpoint.</summary>
    /// <param name="e">What was thrown.</param>
    /// <param name="endpoint">Where.</param>
    /// <param name="timeout">The deadline that a cancelled call ran into; null where the channel was closed.</param>
    internal static GrpcException Explain(Exception e, string endpoint, TimeSpan? timeout) => e switch
    {
        GrpcException known => known,
        OperationCanceledException when timeout is { } limit => new(GrpcStatusCode.DeadlineExceeded, endpoint, $"no answer within {limit.TotalSeconds:0.#} s", e),
        OperationCanceledException => new(GrpcStatusCode.Cancelled, endpoint, "the connection was closed", e),
        MessageTooLargeException => new(GrpcStatusCode.ResourceExhausted, endpoint, e.Message, e),
        InvalidDataException => new(GrpcStatusCode.Internal, endpoint, $"does not speak gRPC as it should: {e.Message}", e),
        HttpRequestException http => Explain(http, endpoint),
        _ => new(GrpcStatusCode.Unavailable, endpoint, GrpcStatus.Printable(Innermost(e)), e),
    };

    private static GrpcException Explain(HttpRequestException e, string endpoint) => new(GrpcStatusCode.Unavailable, endpoint, GrpcStatus.Printable(Innermost(e)), e)
    {
        // All of these happen before the first byte of a request is sent.
        IsUnprocessed = e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError,
        IsForeign = e.HttpRequestError is HttpRequestError.VersionNegotiationError,
    };

    /// <summary>
    /// HttpClient wraps twice and more; what happened stands inside, and our own messages from connecting name the endpoint already. An
    /// ObjectDisposedException in there is an echo of the connection being given up.
    /// </summary>
    private static string Innermost(Exception e)
    {
        while (true)
        {
            if (e is EtcdConnectException connect) return connect.Reason;
            if (e.InnerException is not (IOException or SocketException or HttpRequestException)) return e.Message;
            e = e.InnerException;
        }
    }
}
