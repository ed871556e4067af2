using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>Network configs and leases of a cluster: host n has 10.5.n.0/24 of 10.5.0.0/16, fd05:0:0:n::/64 of fd05::/48, and the underlay addresses of <see cref="Node"/>.</summary>
internal static class Cluster
{
    internal static NetworkConfig Network(string backend, bool ipv4 = true, bool ipv6 = false)
    {
        using JsonDocument document = JsonDocument.Parse(backend);
        JsonElement fields = document.RootElement.Clone();
        return new()
        {
            Ipv4 = ipv4 ? new(IPNetwork.Parse("10.5.0.0/16"), 24, IPAddress.Parse("10.5.1.0"), IPAddress.Parse("10.5.255.0")) : null,
            Ipv6 = ipv6 ? new(IPNetwork.Parse("fd05::/48"), 64, IPAddress.Parse("fd05:0:0:1::"), IPAddress.Parse("fd05:0:0:ffff::")) : null,
            EnableNFTables = false,
            Backend = new(fields.GetProperty("Type").GetString()!, fields),
        };
    }

    /// <summary>The underlay of the host the calling thread is on.</summary>
    internal static ExternalInterface Underlay(Node node, string link = "eth0")
    {
        using NetlinkClient netlink = new();
        IPAddress address = IPAddress.Parse(node.Address), addressV6 = IPAddress.Parse(node.AddressV6);
        return new(netlink.Links.Get(link), address, addressV6, address, addressV6);
    }

    internal static LeasedSubnet Subnet(int host, NetworkConfig network) => new(
        network.Ipv4 is null ? null : IPNetwork.Parse($"10.5.{host}.0/24"),
        network.Ipv6 is null ? null : IPNetwork.Parse($"fd05:0:0:{host}::/64"));

    /// <summary>The lease of a host that published what a backend says.</summary>
    internal static Lease Lease(int host, NetworkConfig network, BackendAnnouncement announcement) => new()
    {
        Subnet = Subnet(host, network),
        Attributes = new()
        {
            PublicIP = IPAddress.Parse($"192.0.2.{host}"),
            PublicIPv6 = network.Ipv6 is null ? null : IPAddress.Parse($"2001:db8::{host}"),
            BackendType = announcement.BackendType,
            BackendData = announcement.BackendData,
            BackendV6Data = announcement.BackendV6Data,
        },
        ExpiresAt = null,
        CreateRevision = host,
        ModRevision = host,
    };

    /// <summary>The lease of a vxlan host whose devices have the addresses 02:00:00:00:00:n and 02:00:00:00:06:n.</summary>
    internal static Lease VxlanLease(int host, NetworkConfig network) => Lease(host, network, new(
        "vxlan",
        network.Ipv4 is null ? default : new VxlanLeaseData(1, Mac(host)).ToJson(),
        network.Ipv6 is null ? default : new VxlanLeaseData(1, MacV6(host)).ToJson()));

    internal static MacAddress Mac(int host) => new(0x020000000000ul + (uint)host);

    internal static MacAddress MacV6(int host) => new(0x020000000600ul + (uint)host);
}
