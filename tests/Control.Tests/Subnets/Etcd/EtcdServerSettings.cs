using System.Net;

namespace FlannelFast.Control.Tests.Subnets.Etcd;

/// <summary>How an <see cref="EtcdServer"/> is started.</summary>
internal sealed record EtcdServerSettings
{
    /// <summary>A random one if null.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>What etcd and etcdctl are started by, for example <c>ip netns exec NAME</c>; empty for nothing.</summary>
    public string[] Launcher { get; init; } = [];

    /// <summary>Null for plain HTTP.</summary>
    public TestCertificates? Tls { get; init; }

    public bool RequireClientCertificate { get; init; } = true;

    public bool EnableV2 { get; init; }

    /// <summary>Only itself if null.</summary>
    public string? InitialCluster { get; init; }

    public string Token { get; init; } = "flannelfast";

    public string[] Arguments { get; init; } = [];
}
