using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Asks for the changes of a range of keys (etcdserverpb.WatchRequest with a WatchCreateRequest).</summary>
/// <param name="Key">The first key.</param>
/// <param name="RangeEnd">The first one that is not meant.</param>
/// <param name="StartRevision">The first revision whose changes are wanted.</param>
internal sealed record WatchRequest(byte[] Key, byte[] RangeEnd, long StartRevision) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer) => writer.Write(1, new Create(this));

    private sealed record Create(WatchRequest Watch) : IProtobufMessage
    {
        public void WriteTo(ProtobufWriter writer)
        {
            writer.Write(1, Watch.Key);
            writer.Write(2, Watch.RangeEnd);
            writer.Write(3, Watch.StartRevision);
            // Without "fragment" an answer may be as large as the backlog, beyond what any client takes.
            writer.Write(8, true);
        }
    }
}
