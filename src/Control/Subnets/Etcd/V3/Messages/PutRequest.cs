using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Writes a key (etcdserverpb.PutRequest).</summary>
/// <param name="Key">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="Lease">What it dies with; 0 for none, also where it had one.</param>
internal sealed record PutRequest(byte[] Key, ReadOnlyMemory<byte> Value, long Lease = 0) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer)
    {
        writer.Write(1, Key);
        writer.Write(2, Value.Span);
        writer.Write(3, Lease);
    }
}
