namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>One endpoint did not answer as etcd's keys API does. The message is one line that names it.</summary>
/// <param name="endpoint">Which.</param>
/// <param name="reason">The message without it.</param>
/// <param name="wasSent">False where the request certainly did not reach it.</param>
/// <param name="cause">What was thrown below, or null.</param>
internal sealed class EtcdV2Exception(Uri endpoint, string reason, bool wasSent, Exception? cause = null)
    : IOException($"{EtcdEndpoints.Describe(endpoint)}: {reason}", cause)
{
    internal string Reason { get; } = reason;

    internal bool WasSent { get; } = wasSent;

    /// <summary>An etcd that is well, but whose v2 API is off.</summary>
    internal bool IsUnserved { get; init; }
}
