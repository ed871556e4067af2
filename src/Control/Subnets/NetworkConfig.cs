namespace FlannelFast.Control.Subnets;

/// <summary>
/// The network config of the cluster (<c>&lt;prefix&gt;/config</c> in etcd, net-conf.json in Kubernetes), checked and completed as flannel does
/// (pkg/subnet/config.go). At least one family is there.
/// </summary>
internal sealed record NetworkConfig
{
    /// <summary>The IPv4 part; null where EnableIPv4 is false.</summary>
    internal required FamilyConfig? Ipv4 { get; init; }

    /// <summary>The IPv6 part; null unless EnableIPv6 is true.</summary>
    internal required FamilyConfig? Ipv6 { get; init; }

    /// <summary>Firewall rules by nftables instead of iptables.</summary>
    internal required bool EnableNFTables { get; init; }

    /// <summary>Which backend carries the packets, and its settings.</summary>
    internal required BackendConfig Backend { get; init; }
}
