namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>What etcd answered.</summary>
/// <param name="Endpoint">Who.</param>
/// <param name="Index">Its X-Etcd-Index: of a read the revision it was made at, of a long poll the one it began at.</param>
/// <param name="Body">Null for a long poll in which nothing happened.</param>
internal sealed record EtcdV2Answer(Uri Endpoint, long Index, EtcdV2Response? Body)
{
    internal int ErrorCode => Body?.ErrorCode ?? 0;
}
