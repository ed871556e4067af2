namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>A message we send.</summary>
internal interface IProtobufMessage
{
    /// <summary>Appends its fields.</summary>
    void WriteTo(ProtobufWriter writer);
}
