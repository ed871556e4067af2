using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Control.Tunnels;

/// <summary>Defaults and limits of the settings of a tunnel; what the engine has a default for, it keeps.</summary>
internal static class TunnelDefaults
{
    /// <summary>flannel's udp backend (backend/udp/udp_amd64.go, defaultPort).</summary>
    internal const int UdpPort = 8285;

    /// <summary>Linux's VXLAN port, which flannel keeps; IANA's 4789 is not it.</summary>
    internal const int VxlanPort = 8472;

    internal const int Vni = 1;
    internal const int MaxVni = (1 << 24) - 1;
    internal const int Queues = 1;
    internal const int MaxQueues = 64;
    internal const int MaxPause = 1000;
    internal const int MinSocketBuffer = 1 << 16;

    // The kernel stores twice what is asked for, in an int (sock_setsockopt).
    internal const int MaxSocketBuffer = (1 << 30) - 1;

    /// <summary>Largest MTU a TUN device takes.</summary>
    internal const int MaxMtu = 65535;

    /// <summary>RFC 791: every IPv4 host accepts 576 bytes.</summary>
    internal const int MinMtu = 576;

    /// <summary>RFC 8200 section 5: IPv6 does not run on links below 1280 bytes.</summary>
    internal const int MinMtuOfV6 = 1280;

    /// <summary>Where the control socket is when no other place is named.</summary>
    internal const string SocketPath = "/run/flannelfast/flannelfast.sock";

    internal static int PortOf(EncapsulationKind encapsulation) =>
        encapsulation == EncapsulationKind.Udp ? UdpPort : VxlanPort;
}
