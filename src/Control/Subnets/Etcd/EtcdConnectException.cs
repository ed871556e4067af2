namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>No connection to an endpoint came about. The message is one line: "https://10.0.0.1:2379: no TLS: the certificate …".</summary>
/// <param name="endpoint">Where.</param>
/// <param name="reason">The message without the endpoint.</param>
/// <param name="cause">What was thrown below.</param>
internal sealed class EtcdConnectException(Uri endpoint, string reason, Exception cause) : IOException($"{EtcdEndpoints.Describe(endpoint)}: {reason}", cause)
{
    internal string Reason { get; } = reason;
}
