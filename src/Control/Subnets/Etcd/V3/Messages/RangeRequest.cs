using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Asks for a key or a range of keys (etcdserverpb.RangeRequest); always linearizable.</summary>
/// <param name="Key">The first one.</param>
/// <param name="RangeEnd">The first one that is not meant; null for the key alone.</param>
/// <param name="Limit">At most so many; 0 for all.</param>
/// <param name="Revision">As it was then; 0 for now.</param>
/// <param name="KeysOnly">Without values.</param>
internal sealed record RangeRequest(byte[] Key, byte[]? RangeEnd = null, long Limit = 0, long Revision = 0, bool KeysOnly = false) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer)
    {
        writer.Write(1, Key);
        writer.Write(2, RangeEnd);
        writer.Write(3, Limit);
        writer.Write(4, Revision);
        writer.Write(8, KeysOnly);
    }
}
