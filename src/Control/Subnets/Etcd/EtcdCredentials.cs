namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>A user of etcd. What prints it shows the name only.</summary>
internal sealed class EtcdCredentials(string userName, string password)
{
    internal string UserName { get; } = userName;

    /// <summary>Never in a message, a log or a file.</summary>
    internal string Password { get; } = password;

    public override string ToString() => UserName;
}
