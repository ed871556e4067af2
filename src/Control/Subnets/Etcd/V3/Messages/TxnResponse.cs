using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>What became of a transaction (etcdserverpb.TxnResponse).</summary>
/// <param name="Header">Its revision is that of the transaction.</param>
/// <param name="Succeeded">The condition held and the steps were taken.</param>
/// <param name="Ranges">Answers of the steps that were reads.</param>
internal sealed record TxnResponse(ResponseHeader Header, bool Succeeded, IReadOnlyList<RangeResponse> Ranges) : IProtobufParsable<TxnResponse>
{
    public static TxnResponse Parse(ReadOnlySpan<byte> message)
    {
        ResponseHeader header = ResponseHeader.None;
        bool succeeded = false;
        List<RangeResponse> ranges = [];
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    header = ResponseHeader.Parse(reader.ReadBytes());
                    break;
                case 2:
                    succeeded = reader.ReadBool();
                    break;
                case 3:
                    AddRange(reader.ReadBytes(), ranges);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new(header, succeeded, ranges);
    }

    /// <summary>etcdserverpb.ResponseOp: field 1 is the answer of a read.</summary>
    private static void AddRange(ReadOnlySpan<byte> step, List<RangeResponse> ranges)
    {
        ProtobufReader reader = new(step);
        while (reader.NextField())
        {
            if (reader.Field == 1) ranges.Add(RangeResponse.Parse(reader.ReadBytes()));
            else reader.Skip();
        }
    }
}
