using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Deletes one key (etcdserverpb.DeleteRangeRequest without a range end).</summary>
internal sealed record DeleteRangeRequest(byte[] Key) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer) => writer.Write(1, Key);
}
