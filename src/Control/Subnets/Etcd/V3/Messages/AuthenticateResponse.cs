using FlannelFast.Control.Subnets.Etcd.Grpc;

namespace FlannelFast.Control.Subnets.Etcd.V3.Messages;

/// <summary>A token (etcdserverpb.AuthenticateResponse). Not a record: those print themselves, and this is a secret.</summary>
internal sealed class AuthenticateResponse : IProtobufParsable<AuthenticateResponse>
{
    private AuthenticateResponse(string token) => Token = token;

    internal string Token { get; }

    public static AuthenticateResponse Parse(ReadOnlySpan<byte> message)
    {
        string token = "";
        ProtobufReader reader = new(message);
        while (reader.NextField())
        {
            if (reader.Field == 2) token = reader.ReadString();
            else reader.Skip();
        }
        return new(token);
    }
}
