using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags of the store.</summary>
internal sealed class EtcdFlags(GoFlagSet set)
{
    internal TextFlag Endpoints { get; } = set.Add(new TextFlag("etcd-endpoints", EtcdOptions.DefaultEndpoints, "a comma-delimited list of etcd endpoints"));

    internal TextFlag Prefix { get; } = set.Add(new TextFlag("etcd-prefix", EtcdOptions.DefaultPrefix, "etcd prefix"));

    internal TextFlag KeyFile { get; } = set.Add(new TextFlag("etcd-keyfile", "", "SSL key file used to secure etcd communication"));

    internal TextFlag CertFile { get; } = set.Add(new TextFlag("etcd-certfile", "", "SSL certification file used to secure etcd communication"));

    internal TextFlag CaFile { get; } = set.Add(new TextFlag("etcd-cafile", "", "SSL Certificate Authority file used to secure etcd communication"));

    internal TextFlag Username { get; } = set.Add(new TextFlag("etcd-username", "", "username for BasicAuth to etcd"));

    internal TextFlag Password { get; } = set.Add(new TextFlag("etcd-password", "", "password for BasicAuth to etcd"));

    /// <exception cref="Control.Tunnels.InvalidInputException">A value cannot be used, or two do not fit each other.</exception>
    internal EtcdOptions ToOptions() => EtcdOptions.Create(
        Endpoints.Value, Prefix.Value, CaFile.Value, CertFile.Value, KeyFile.Value, Username.Value, Password.Value);
}
