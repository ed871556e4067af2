using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>The keys asked for (etcdserverpb.RangeResponse).</summary>
/// <param name="Header">Its revision is the one they were read at, unless the request named one.</param>
/// <param name="KeyValues">By key, ascending.</param>
/// <param name="More">The limit left some out.</param>
internal sealed record RangeResponse(ResponseHeader Header, IReadOnlyList<KeyValue> KeyValues, bool More) : IProtobufParsable<RangeResponse>
{
    public static RangeResponse Parse(ReadOnlySpan<byte> message)
    {
        ResponseHeader header = ResponseHeader.None;
        List<KeyValue> found = [];
        bool more = false;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    header = ResponseHeader.Parse(reader.ReadBytes());
                    break;
                case 2:
                    found.Add(KeyValue.Parse(reader.ReadBytes()));
                    break;
                case 3:
                    more = reader.ReadBool();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new(header, found, more);
    }
}
