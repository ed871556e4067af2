using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>
/// Flags that flannel itself has dropped. They are known by name only, so that who finds one in an old document is told what became of it;
/// the usage does not show them.
/// </summary>
internal static class RemovedFlags
{
    private const string ClientServer = "flannel's client and server mode ended with v0.7; let every host talk to etcd itself";
    private const string Networks = "several networks in one daemon ended with flannel v0.7; run one daemon for each, with an -etcd-prefix and a -subnet-file of its own";

    private static readonly Dictionary<string, string> s_reasons = new()
    {
        ["listen"] = ClientServer,
        ["remote"] = ClientServer,
        ["remote-keyfile"] = ClientServer,
        ["remote-certfile"] = ClientServer,
        ["remote-cafile"] = ClientServer,
        ["networks"] = Networks,
        ["watch-networks"] = Networks,
        ["subnet-dir"] = Networks,
        ["use-multi-cluster-cidr"] = "flannel had it from v0.21 to v0.22, for Kubernetes only",
    };

    /// <summary>What became of the flag, or null if flannel never had one of that name.</summary>
    internal static string? ReasonOf(string name) => s_reasons.GetValueOrDefault(name);
}
