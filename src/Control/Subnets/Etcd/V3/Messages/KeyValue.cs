using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>A key with its value (mvccpb.KeyValue).</summary>
/// <param name="Key">Raw bytes.</param>
/// <param name="Value">At most <see cref="RegistryEntry.MaxValueSize"/> bytes of it.</param>
/// <param name="IsTruncated">The value was longer.</param>
/// <param name="CreateRevision">When it was made.</param>
/// <param name="ModRevision">When it was last written, or deleted.</param>
/// <param name="Lease">What it dies with; 0 for none.</param>
internal sealed record KeyValue(byte[] Key, byte[] Value, bool IsTruncated, long CreateRevision, long ModRevision, long Lease) : IProtobufParsable<KeyValue>
{
    public static KeyValue Parse(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> key = default, value = default;
        long create = 0, mod = 0, lease = 0;
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    key = reader.ReadBytes();
                    break;
                case 2:
                    create = reader.ReadInt64();
                    break;
                case 3:
                    mod = reader.ReadInt64();
                    break;
                case 5:
                    value = reader.ReadBytes();
                    break;
                case 6:
                    lease = reader.ReadInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        bool isTruncated = value.Length > RegistryEntry.MaxValueSize;
        return new(key.ToArray(), (isTruncated ? value[..RegistryEntry.MaxValueSize] : value).ToArray(), isTruncated, create, mod, lease);
    }
}
