using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags of the Kubernetes subnet manager. They are known, so that a command line is understood, but not served.</summary>
internal sealed class KubernetesFlags
{
    private readonly BooleanFlag _manager;
    private readonly IReadOnlyList<GoFlag> _companions;

    internal KubernetesFlags(GoFlagSet set)
    {
        _manager = set.Add(new BooleanFlag("kube-subnet-mgr", false, "not served yet: contact the Kubernetes API for subnet assignment instead of etcd"));
        _companions =
        [
            set.Add(new TextFlag("kube-api-url", "", "not served yet: Kubernetes API server URL")),
            set.Add(new TextFlag("kubeconfig-file", "", "not served yet: kubeconfig file location")),
            set.Add(new TextFlag("kube-annotation-prefix", "flannel.alpha.coreos.com", "not served yet: Kubernetes annotation prefix", FlagChecks.AnnotationPrefix)),
            set.Add(new TextFlag("net-config-path", "/etc/kube-flannel/net-conf.json", "not served yet: path to the network configuration file")),
            set.Add(new BooleanFlag("set-node-network-unavailable", true, "not served yet: set the NodeNetworkUnavailable condition to false when ready")),
        ];
    }

    /// <summary>Refuses what cannot be served.</summary>
    /// <exception cref="GoFlagException">-kube-subnet-mgr was asked for.</exception>
    internal void RefuseIfUsed()
    {
        if (_manager.Value)
            throw new GoFlagException("-kube-subnet-mgr: this build keeps leases in etcd or in a directory (-store-dir), not in Kubernetes; run stock flanneld on this host");
    }

    /// <summary>Stock takes no notice of them without the manager either.</summary>
    internal IEnumerable<string> Warnings() =>
        _companions.Where(flag => flag.IsSet).Select(flag => $"-{flag.Name} has no effect without -kube-subnet-mgr");
}
