using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Steps that are taken together if a condition holds, and not at all if it does not (etcdserverpb.TxnRequest).</summary>
internal sealed record TxnRequest(Compare If, params RequestOp[] Then) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer)
    {
        writer.Write(1, If);
        foreach (RequestOp step in Then) writer.Write(2, step);
    }
}
