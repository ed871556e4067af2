namespace FlannelFast.Daemon.Flanneld;

/// <summary>Which API of etcd holds the cluster's subnets (-etcd-api).</summary>
internal enum EtcdApi
{
    /// <summary>v3, and v2 where only that holds the network config.</summary>
    Auto,

    V3,

    V2,
}
