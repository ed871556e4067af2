namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>The lower three bits of a tag (protobuf.dev, "Encoding").</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    GroupStart = 3,
    GroupEnd = 4,
    Fixed32 = 5,
}
