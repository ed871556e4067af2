using FlannelFast.Control.Backends.Alloc;
using FlannelFast.Control.Backends.Extension;
using FlannelFast.Control.Backends.HostGw;
using FlannelFast.Control.Backends.Udp;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends;

/// <summary>The backends by the names that stock gives them in the network config.</summary>
internal static class BackendCatalog
{
    private static readonly Dictionary<string, BackendChoice> s_backends = new()
    {
        ["udp"] = new(UdpBackend.Prepare, "packet engine"),
        ["host-gw"] = new(HostGwBackend.Prepare, "kernel routes"),
        ["alloc"] = new(AllocBackend.Prepare, "none"),
        [ExtensionBackend.BackendType] = new(ExtensionBackend.Prepare, "the commands of the network config"),
    };

    /// <summary>What stock has, or had until 0.19, and this program has not.</summary>
    private static readonly HashSet<string> s_ofStockOnly = ["wireguard", "ipip", "ipsec", "tencent-vpc", "ali-vpc", "aws-vpc", "gce"];

    /// <summary>Finds the backend of a type.</summary>
    /// <param name="type">From the network config, in lower case.</param>
    /// <param name="options">This host's choices.</param>
    /// <exception cref="NetworkConfigException">There is none, or none any more.</exception>
    /// <exception cref="IOException">The host cannot run what <paramref name="options"/> demand.</exception>
    internal static BackendChoice Find(string type, BackendOptions options)
    {
        if (type == "vxlan") return VxlanBackendSelection.Choose(options.Dataplane, KernelVxlanBackend.IsAvailable);
        if (s_backends.TryGetValue(type, out BackendChoice? choice)) return choice;
        throw new NetworkConfigException(s_ofStockOnly.Contains(type)
            ? $"FlannelFast has no {type} backend: run stock flanneld for it, or choose udp, vxlan, host-gw, extension or alloc"
            : $"unknown backend type: {type}");
    }
}
