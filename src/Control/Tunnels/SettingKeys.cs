namespace FlannelFast.Control.Tunnels;

/// <summary>The names of the settings of a tunnel as the configuration file spells them. Part of the public interface.</summary>
internal static class SettingKeys
{
    internal const string Device = "device";
    internal const string Local = "local";
    internal const string Networks = "networks";
    internal const string Subnets = "subnets";
    internal const string Encap = "encap";
    internal const string Port = "port";
    internal const string Vni = "vni";
    internal const string Mac = "mac";
    internal const string Mtu = "mtu";
    internal const string Queues = "queues";
    internal const string Peers = "peers";
    internal const string SourcePorts = "source_ports";
    internal const string SourceCheck = "source_check";
    internal const string NoSourcePortCheck = "no_source_port_check";
    internal const string IgnoreReservedBits = "ignore_reserved_bits";
    internal const string TunOffloads = "tun_offloads";
    internal const string UdpSegment = "udp_segment";
    internal const string UdpGro = "udp_gro";
    internal const string Coalesce = "coalesce";
    internal const string Pause = "pause";
    internal const string RealTime = "real_time";
    internal const string ExpressLane = "express_lane";
    internal const string SocketBuffer = "socket_buffer";

    internal const string PeerSubnet = "subnet";
    internal const string PeerPublicIP = "public_ip";
    internal const string PeerVtepMac = "vtep_mac";

    /// <summary>The fields of the file, in the order of the documentation.</summary>
    internal static IReadOnlyList<string> All { get; } =
    [
        Device, Local, Networks, Subnets, Encap, Port, Vni, Mac, Mtu, Queues, SourcePorts, Peers, SourceCheck, NoSourcePortCheck,
        IgnoreReservedBits, TunOffloads, UdpSegment, UdpGro, Coalesce, Pause, RealTime, ExpressLane, SocketBuffer,
    ];

    /// <summary>The fields of one peer.</summary>
    internal static IReadOnlyList<string> OfPeer { get; } = [PeerSubnet, PeerPublicIP, PeerVtepMac];

    /// <summary>The flag that sets the same as a field: "--source-check" for "source_check", "--peer" for the list "peers".</summary>
    internal static string ToFlag(string key) => key switch
    {
        Networks => "--network",
        Subnets => "--subnet",
        Peers => "--peer",
        _ => "--" + key.Replace('_', '-'),
    };
}
