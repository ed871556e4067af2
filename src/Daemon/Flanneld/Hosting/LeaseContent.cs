using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>What this host publishes: where it is reached, and what its backend has to say.</summary>
internal static class LeaseContent
{
    internal static LeaseAttributes Of(ExternalInterface external, BackendAnnouncement announcement) => new()
    {
        PublicIP = external.PublicIP,
        PublicIPv6 = external.PublicIPv6,
        BackendType = announcement.BackendType,
        BackendData = announcement.BackendData,
        BackendV6Data = announcement.BackendV6Data,
    };
}
