using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Makes a lease (etcdserverpb.LeaseGrantRequest); etcd chooses its id.</summary>
/// <param name="TimeToLive">Seconds.</param>
internal sealed record LeaseGrantRequest(long TimeToLive) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer) => writer.Write(1, TimeToLive);
}
