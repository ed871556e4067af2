using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Ends a lease and deletes what hangs on it (etcdserverpb.LeaseRevokeRequest).</summary>
internal sealed record LeaseRevokeRequest(long Id) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer) => writer.Write(1, Id);
}
