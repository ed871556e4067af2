using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Where etcd is, how to speak to it and where flannel's keys lie in it. Valid by construction.</summary>
internal sealed class EtcdOptions
{
    /// <summary>Stock's default of <c>-etcd-endpoints</c>.</summary>
    internal const string DefaultEndpoints = "http://127.0.0.1:4001,http://127.0.0.1:2379";

    /// <summary>Stock's default of <c>-etcd-prefix</c>.</summary>
    internal const string DefaultPrefix = "/coreos.com/network";

    private EtcdOptions(IReadOnlyList<Uri> endpoints, string prefix)
    {
        Endpoints = endpoints;
        Prefix = prefix;
    }

    /// <summary>http or https, host and port, each once and in the order given; at least one. A path matters to the v2 API only.</summary>
    internal IReadOnlyList<Uri> Endpoints { get; }

    /// <summary>Cleaned as <see cref="KeyPath"/> does; empty for the top.</summary>
    internal string Prefix { get; }

    /// <summary>PEM file of the authorities that may sign the server's certificate; null for those of the system.</summary>
    internal string? CaFile { get; private init; }

    /// <summary>PEM file of our certificate and what stands between it and the authority; null where the server asks for none.</summary>
    internal string? CertificateFile { get; private init; }

    /// <summary>PEM file of the certificate's private key; null exactly where there is no certificate.</summary>
    internal string? KeyFile { get; private init; }

    /// <summary>Null where etcd is used without a user.</summary>
    internal EtcdCredentials? Credentials { get; private init; }

    /// <summary>What was given and has no effect, one sentence each, for the log of whoever uses the options.</summary>
    internal IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>Key of the network config.</summary>
    internal string ConfigKey => KeyPath.Join(Prefix, "config");

    /// <summary>What every lease's key begins with, with the slash: <c>/coreos.com/network/subnets/</c>.</summary>
    internal string SubnetsPrefix => KeyPath.Join(Prefix, "subnets") + "/";

    /// <summary>Takes the flags' values as they were given; an empty one is the same as none, as in stock.</summary>
    /// <param name="endpoints">Separated by commas.</param>
    /// <param name="prefix">Any path.</param>
    /// <param name="caFile">Flag <c>-etcd-cafile</c>.</param>
    /// <param name="certificateFile">Flag <c>-etcd-certfile</c>.</param>
    /// <param name="keyFile">Flag <c>-etcd-keyfile</c>.</param>
    /// <param name="userName">Flag <c>-etcd-username</c>.</param>
    /// <param name="password">Flag <c>-etcd-password</c>.</param>
    /// <exception cref="InvalidInputException">A value cannot be used, or TLS was asked for and an endpoint would be spoken to without.</exception>
    internal static EtcdOptions Create(
        string endpoints, string prefix, string? caFile = null, string? certificateFile = null, string? keyFile = null, string? userName = null, string? password = null)
    {
        if (string.IsNullOrEmpty(certificateFile) != string.IsNullOrEmpty(keyFile))
        {
            // Stock goes on without TLS here, with a warning.
            throw new InvalidInputException(string.IsNullOrEmpty(keyFile)
                ? "-etcd-certfile: expected -etcd-keyfile beside it"
                : "-etcd-keyfile: expected -etcd-certfile beside it");
        }
        string? tlsFlag = !string.IsNullOrEmpty(certificateFile) ? "-etcd-certfile" : !string.IsNullOrEmpty(caFile) ? "-etcd-cafile" : null;
        bool hasName = !string.IsNullOrEmpty(userName), hasPassword = !string.IsNullOrEmpty(password);
        return new(EtcdEndpoints.Parse(endpoints, tlsFlag), KeyPath.Join(prefix))
        {
            CaFile = NullIfEmpty(caFile),
            CertificateFile = NullIfEmpty(certificateFile),
            KeyFile = NullIfEmpty(keyFile),
            Credentials = hasName && hasPassword ? new(userName!, password!) : null,
            Warnings = hasName == hasPassword
                ? []
                : [hasName ? "-etcd-username has no effect without -etcd-password" : "-etcd-password has no effect without -etcd-username"],
        };
    }

    /// <summary>Key of a lease.</summary>
    /// <param name="relative">Its name below <see cref="SubnetsPrefix"/>.</param>
    internal string SubnetKey(string relative) => SubnetsPrefix + relative;

    /// <summary>For a log line: endpoints, prefix and the user's name. No secrets.</summary>
    public override string ToString() =>
        $"{string.Join(',', Endpoints.Select(EtcdEndpoints.Describe))}, prefix {(Prefix.Length == 0 ? "/" : Prefix)}{(Credentials is null ? "" : $", user {Credentials}")}";

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
