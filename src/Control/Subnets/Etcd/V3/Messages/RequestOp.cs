using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>One step of a transaction (etcdserverpb.RequestOp).</summary>
internal sealed record RequestOp : IProtobufMessage
{
    private readonly int _field;
    private readonly IProtobufMessage _request;

    private RequestOp(int field, IProtobufMessage request)
    {
        _field = field;
        _request = request;
    }

    public static implicit operator RequestOp(RangeRequest request) => new(1, request);

    public static implicit operator RequestOp(PutRequest request) => new(2, request);

    public static implicit operator RequestOp(DeleteRangeRequest request) => new(3, request);

    public void WriteTo(ProtobufWriter writer) => writer.Write(_field, _request);
}
