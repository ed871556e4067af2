using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>What every answer of etcd begins with (etcdserverpb.ResponseHeader).</summary>
/// <param name="ClusterId">Another one after a cluster was made anew, say from a backup.</param>
/// <param name="Revision">Of the whole store, when the member answered.</param>
internal sealed record ResponseHeader(ulong ClusterId, long Revision) : IProtobufParsable<ResponseHeader>
{
    /// <summary>In place of a header that is missing.</summary>
    internal static ResponseHeader None { get; } = new(0, 0);

    public static ResponseHeader Parse(ReadOnlySpan<byte> message)
    {
        ulong cluster = 0;
        long revision = 0;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    cluster = reader.ReadUInt64();
                    break;
                case 3:
                    revision = reader.ReadInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return new(cluster, revision);
    }
}
