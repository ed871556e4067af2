namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>A message was announced that is larger than <see cref="GrpcFrame.MaxMessageSize"/>; nothing of it was read.</summary>
internal sealed class MessageTooLargeException(uint length)
    : IOException($"expected messages of at most {GrpcFrame.MaxMessageSize >> 20} MiB, not of {length} bytes");
