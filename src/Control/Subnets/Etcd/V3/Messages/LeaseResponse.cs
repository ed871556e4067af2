using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>A lease (etcdserverpb.LeaseGrantResponse and LeaseTimeToLiveResponse, which agree in these fields).</summary>
/// <param name="Id">Never 0.</param>
/// <param name="TimeToLive">Seconds; -1 where the lease is over.</param>
internal sealed record LeaseResponse(long Id, long TimeToLive) : IProtobufParsable<LeaseResponse>
{
    public static LeaseResponse Parse(ReadOnlySpan<byte> message)
    {
        long id = 0, seconds = 0;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 2:
                    id = reader.ReadInt64();
                    break;
                case 3:
                    seconds = reader.ReadInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return id != 0 ? new(id, seconds) : throw new InvalidDataException("a lease has no id");
    }
}
