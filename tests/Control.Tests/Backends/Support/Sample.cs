using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>A cluster for tests without host: Network 10.5.0.0/16; host n has 192.0.2.n and leases 10.5.n.0/24, with IPv6 2001:db8::n and fd00:5:0:n::/64.</summary>
internal static class Sample
{
    public static NetworkConfig Network(string backend, bool ipv6 = false)
    {
        JsonElement fields = Json(backend);
        return new()
        {
            Ipv4 = Family("10.5.0.0/16", 24, "10.5.1.0", "10.5.255.0"),
            Ipv6 = ipv6 ? Family("fd00:5::/48", 64, "fd00:5:0:1::", "fd00:5:0:ffff::") : null,
            EnableNFTables = false,
            Backend = new(fields.GetProperty("Type").GetString()!, fields),
        };
    }

    public static Lease Lease(int host, string backendType = "", string? data = null, bool ipv6 = false, string? v6Data = null) => new()
    {
        Subnet = new(IPNetwork.Parse($"10.5.{host}.0/24"), ipv6 ? IPNetwork.Parse($"fd00:5:0:{host}::/64") : null),
        Attributes = new()
        {
            PublicIP = IPAddress.Parse($"192.0.2.{host}"),
            PublicIPv6 = ipv6 ? IPAddress.Parse($"2001:db8::{host}") : null,
            BackendType = backendType,
            BackendData = data is null ? default : Json(data),
            BackendV6Data = v6Data is null ? default : Json(v6Data),
        },
        ExpiresAt = 1,
        CreateRevision = 100 + host,
        ModRevision = 100 + host,
    };

    public static ExternalInterface External(int host, int mtu = 1500, bool ipv6 = false) =>
        External(new Link { Index = 7, Name = "eth0", Mtu = mtu }, $"192.0.2.{host}", ipv6 ? $"2001:db8::{host}" : null);

    public static ExternalInterface External(Link link, string address, string? address6 = null)
    {
        IPAddress ipv4 = IPAddress.Parse(address);
        IPAddress? ipv6 = address6 is null ? null : IPAddress.Parse(address6);
        return new(link, ipv4, ipv6, ipv4, ipv6);
    }

    public static BackendContext Context(NetworkConfig network, ExternalInterface external, ILoggerFactory? log = null, BackendOptions? options = null) =>
        new(network, external, options ?? new(), log ?? new RecordingLog());

    public static JsonElement Json(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static FamilyConfig Family(string network, int length, string min, string max) =>
        new(IPNetwork.Parse(network), length, IPAddress.Parse(min), IPAddress.Parse(max));
}
