using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>Asks for a token (etcdserverpb.AuthenticateRequest).</summary>
internal sealed class AuthenticateRequest(EtcdCredentials credentials) : IProtobufMessage
{
    public void WriteTo(ProtobufWriter writer)
    {
        writer.Write(1, credentials.UserName);
        writer.Write(2, credentials.Password);
    }
}
