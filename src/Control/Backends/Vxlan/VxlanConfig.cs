using System.Net.Sockets;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>The vxlan part of the network config, the same for the kernel's device and the packet engine (flannel, pkg/backend/vxlan/vxlan.go).</summary>
internal sealed record VxlanConfig
{
    /// <summary>Linux's port (drivers/net/vxlan, udp_port), which flannel leaves in place; IANA's 4789 is not it.</summary>
    internal const int DefaultPort = 8472;

    /// <summary>VNIs have 24 bits (RFC 7348, section 5).</summary>
    internal const int MaxVni = (1 << 24) - 1;

    /// <summary>Outer IPv4, UDP and VXLAN headers and the inner Ethernet header, in bytes.</summary>
    internal const int Ipv4Overhead = 20 + 8 + 8 + 14;

    /// <summary>The same with an outer IPv6 header. Stock subtracts 50 here too, and its largest packets leave in fragments.</summary>
    internal const int Ipv6Overhead = Ipv4Overhead + 20;

    /// <summary>Smallest MTU of the device, as of any Ethernet-like link (ETH_MIN_MTU).</summary>
    internal const int LeastMtu = 68;

    /// <summary>RFC 8200, section 5: IPv6 does not run on links below.</summary>
    internal const int LeastMtuOfV6 = 1280;

    private const int MaxMtu = 65535;

    /// <summary>1 unless the config says otherwise.</summary>
    internal required int Vni { get; init; }

    /// <summary>UDP port of all hosts, never 0.</summary>
    internal required int Port { get; init; }

    /// <summary>What the config says of the underlay's MTU, in bytes; 0 where it leaves it to the interface.</summary>
    internal int OuterMtu { get; init; }

    /// <summary>Group based policy: the packet's mark goes along in the VXLAN header. All hosts must agree.</summary>
    internal bool Gbp { get; init; }

    /// <summary>The kernel's device learns addresses from what it receives.</summary>
    internal bool Learning { get; init; }

    /// <summary>Peers on the same link are reached by a route, without VXLAN.</summary>
    internal bool DirectRouting { get; init; }

    /// <summary>"flannel.1".</summary>
    internal string Device => $"flannel.{Vni}";

    /// <summary>"flannel-v6.1": the IPv6 underlay has a device of its own.</summary>
    internal string DeviceV6 => $"flannel-v6.{Vni}";

    /// <summary>Reads the config's Backend object.</summary>
    /// <exception cref="NetworkConfigException">A field is of the wrong type or out of range.</exception>
    internal static VxlanConfig Read(NetworkConfig network)
    {
        BackendFields fields = new(network.Backend);
        int port = fields.Number("Port", absent: 0, min: 0, max: ushort.MaxValue);
        VxlanConfig config = new()
        {
            Vni = fields.Number("VNI", absent: 1, min: 0, max: MaxVni),
            Port = port == 0 ? DefaultPort : port,
            OuterMtu = fields.Number("MTU", absent: 0, min: 0, max: MaxMtu),
            Gbp = fields.Flag("GBP"),
            Learning = fields.Flag("Learning"),
            DirectRouting = fields.Flag("DirectRouting"),
        };
        string device = network.Ipv6 is null ? config.Device : config.DeviceV6;
        if (device.Length >= Libc.IFNAMSIZ)
            throw fields.Unexpected("VNI", config.Vni, $"one short enough for the name of its device, {device}, to have at most {Libc.IFNAMSIZ - 1} characters");
        int least = network.Ipv6 is null ? LeastMtu + Ipv4Overhead : LeastMtuOfV6 + Ipv6Overhead;
        if (config.OuterMtu != 0 && config.OuterMtu < least) throw fields.Unexpected("MTU", config.OuterMtu, $"{least} to {MaxMtu}, or 0 for the interface's");
        return config;
    }

    /// <summary>
    /// MTU of the device over an underlay of one family, in bytes. A configured MTU above the interface's counts as the interface's:
    /// the kernel refuses such a device, and no packet of that size could leave.
    /// </summary>
    /// <param name="underlay">IPv4 or IPv6.</param>
    /// <param name="interfaceMtu">Bytes the external interface takes.</param>
    internal int MtuOver(AddressFamily underlay, int interfaceMtu)
    {
        // Loopback has 65536, one more than an IP packet can have.
        int outer = Math.Min(interfaceMtu, OuterMtu == 0 ? MaxMtu : OuterMtu);
        return outer - (underlay == AddressFamily.InterNetworkV6 ? Ipv6Overhead : Ipv4Overhead);
    }

    /// <summary>FLANNEL_MTU: what fits every device the network's families need. Pods have one MTU for both.</summary>
    internal int PodMtu(NetworkConfig network, int interfaceMtu) =>
        MtuOver(network.Ipv6 is null ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, interfaceMtu);
}
