using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Asks what is left of a lease (etcdserverpb.LeaseTimeToLiveRequest).</summary>
internal sealed record LeaseTimeToLiveRequest(long Id) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer) => writer.Write(1, Id);
}
