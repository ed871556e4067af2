using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>An answer of which only the header matters (etcdserverpb.PutResponse, DeleteRangeResponse, LeaseRevokeResponse).</summary>
internal sealed record HeaderResponse(ResponseHeader Header) : IProtobufParsable<HeaderResponse>
{
    public static HeaderResponse Parse(ReadOnlySpan<byte> message)
    {
        ResponseHeader header = ResponseHeader.None;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            if (reader.Field == 1) header = ResponseHeader.Parse(reader.ReadBytes());
            else reader.Skip();
        }
        return new(header);
    }
}
