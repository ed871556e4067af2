using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// The devices whose names follow from the network config, so that two daemons with one VNI would take them from each other. The udp backend's get the first
/// free number, and its port is refused a second time by the kernel.
/// </summary>
internal static class BackendDevices
{
    internal static IReadOnlyList<string> Of(NetworkConfig network)
    {
        if (network.Backend.Type != "vxlan") return [];
        VxlanConfig vxlan = VxlanConfig.Read(network);
        var devices = new List<string>();
        if (network.Ipv4 is not null) devices.Add(vxlan.Device);
        if (network.Ipv6 is not null) devices.Add(vxlan.DeviceV6);
        return devices;
    }
}
