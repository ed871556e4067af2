namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>A message we receive.</summary>
/// <typeparam name="TSelf">The message itself.</typeparam>
internal interface IProtobufParsable<TSelf>
    where TSelf : IProtobufParsable<TSelf>
{
    /// <summary>Reads one. Keeps nothing of the bytes.</summary>
    /// <exception cref="InvalidDataException">The message is malformed. Unknown fields are none of that.</exception>
    static abstract TSelf Parse(ReadOnlySpan<byte> message);
}
