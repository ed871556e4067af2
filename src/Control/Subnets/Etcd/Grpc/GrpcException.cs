namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// A call did not end with status 0, or not at all. The message is one line that names the endpoint:
/// "https://10.0.0.1:2379: etcdserver: permission denied (PermissionDenied)".
/// </summary>
/// <param name="code">The server's verdict, or the code that comes nearest to what happened here.</param>
/// <param name="endpoint">As <see cref="EtcdEndpoints.Describe"/> names it.</param>
/// <param name="detail">One printable line.</param>
/// <param name="cause">What was thrown below.</param>
internal sealed class GrpcException(GrpcStatusCode code, string endpoint, string detail, Exception? cause = null)
    : IOException($"{endpoint}: {detail} ({code})", cause)
{
    internal GrpcStatusCode Code { get; } = code;

    internal string Endpoint { get; } = endpoint;

    /// <summary>The message without endpoint and code.</summary>
    internal string Detail { get; } = detail;

    /// <summary>The server certainly did not act on the call, so that it may be repeated whatever it was.</summary>
    internal bool IsUnprocessed { get; init; }

    /// <summary>Something answers there that does not speak gRPC: a proxy, an etcd before version 3.</summary>
    internal bool IsForeign { get; init; }

    /// <summary>
    /// The endpoint is at fault, not the call: another one may do better. Everything else is a verdict of etcd, the same at each member.
    /// </summary>
    internal bool IsEndpointFailure => IsForeign
        || Code is GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded or GrpcStatusCode.Internal or GrpcStatusCode.Unknown
            or GrpcStatusCode.Cancelled or GrpcStatusCode.DataLoss;

    /// <summary>The same failure of a step before the call, which therefore was not sent.</summary>
    internal GrpcException AsUnprocessed() => new(Code, Endpoint, Detail, this) { IsUnprocessed = true, IsForeign = IsForeign };
}
