using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends;

public sealed class BackendCatalogTests
{
    [Theory]
    [InlineData("udp", "UdpBackend")]
    [InlineData("vxlan", "EngineVxlanBackend")]
    [InlineData("host-gw", "HostGwBackend")]
    [InlineData("alloc", "AllocBackend")]
    [InlineData("extension", "ExtensionBackend")]
    public void Every_type_has_its_backend(string type, string backend) =>
        Assert.Equal(backend, BackendCatalog.Find(type, new() { Dataplane = VxlanDataplane.Userspace }).Prepare.Method.DeclaringType!.Name);

    [Theory]
    [InlineData("", "unknown backend type: ")]
    [InlineData("vxlann", "unknown backend type: vxlann")]
    [InlineData("wireguard", "FlannelFast has no wireguard backend: run stock flanneld for it, or choose udp, vxlan, host-gw, extension or alloc")]
    [InlineData("tencent-vpc", "FlannelFast has no tencent-vpc backend: run stock flanneld for it, or choose udp, vxlan, host-gw, extension or alloc")]
    public void Others_are_refused_in_one_line(string type, string message) =>
        Assert.Equal(message, Assert.Throws<NetworkConfigException>(() => BackendCatalog.Find(type, new())).Message);
}
