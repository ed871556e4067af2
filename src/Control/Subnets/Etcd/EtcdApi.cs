namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Which of etcd's two interfaces holds the leases (flag <c>-etcd-api</c>). They do not see each other's keys.</summary>
internal enum EtcdApi
{
    /// <summary>V3, unless only V2 holds the config: see <see cref="EtcdApiProbe"/>.</summary>
    Auto,

    /// <summary>gRPC, as flannel since 0.18.</summary>
    V3,

    /// <summary>The HTTP keys API, as flannel up to 0.17.</summary>
    V2,
}
