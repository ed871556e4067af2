using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Daemon.Commands;

/// <summary>
/// The flags that describe a tunnel. All take text: they are checked together with the fields of files, which gives both the
/// same messages. A default is shown by the help and applied by the validation, both from the same constant.
/// </summary>
internal sealed class TunnelOptions
{
    private readonly List<(string Key, Option Option)> _all = [];

    private readonly Option<string> _device, _local, _encap, _port, _vni, _mac, _mtu, _queues, _sourcePorts, _sourceCheck;
    private readonly Option<string> _tunOffloads, _udpSegment, _udpGro, _coalesce, _pause, _realTime, _expressLane, _socketBuffer;
    private readonly Option<bool> _noSourcePortCheck, _ignoreReservedBits;
    private readonly Option<string[]> _networks, _subnets, _peers;

    internal TunnelOptions()
    {
        // Only to show the defaults of the engine's own options in the help.
        var engine = new EngineOptions { Encapsulation = EncapsulationKind.Udp, Local = System.Net.IPAddress.Any, Port = 1 };

        _device = Text(SettingKeys.Device, "NAME", "Name of the TUN device to make, 1 to 15 characters (required)");
        _local = Text(SettingKeys.Local, "IP", "Underlay address of this host, IPv4 or IPv6 (required)");
        _networks = Many(SettingKeys.Networks, "CIDR", "Network of all pods, routed into the device; once per family, IPv6 with vxlan only (required)");
        _subnets = Many(SettingKeys.Subnets, "CIDR", "This host's part of the network; its first address becomes the device's (required)");
        _encap = Text(SettingKeys.Encap, "udp|vxlan", "Wire format (required)");
        _peers = Many(SettingKeys.Peers, "SUBNET=IP[,MAC]", "A peer: its pod subnet, its underlay address, with vxlan its VtepMAC; may be repeated");
        _port = Text(SettingKeys.Port, "N", $"UDP port here and at every peer, 1 to 65535 [default: {TunnelDefaults.UdpPort} with udp, {TunnelDefaults.VxlanPort} with vxlan]");
        _vni = Text(SettingKeys.Vni, "N", $"VXLAN network identifier, 0 to {TunnelDefaults.MaxVni}", TunnelDefaults.Vni);
        _mac = Text(SettingKeys.Mac, "MAC", "VtepMAC of this host, vxlan only [default: 02:ff and the four bytes of an IPv4 --local, or of the SHA-256 of an IPv6 one]");
        _mtu = Text(SettingKeys.Mtu, "BYTES", "MTU of the device; 0 takes that of the interface that owns --local, less the encapsulation's 28 to 70 bytes", 0);
        _queues = Text(SettingKeys.Queues, "N", $"TUN queues, sockets and worker threads, 1 to {TunnelDefaults.MaxQueues}", TunnelDefaults.Queues);
        _sourcePorts = Text(SettingKeys.SourcePorts, "N", $"vxlan only: UDP source ports per worker that flows are spread over, 1 to {EngineOptions.MaxSourcePorts}; 1 sends all from --port", engine.SourcePorts);
        _sourceCheck = Text(SettingKeys.SourceCheck, "strict|peer|off", "How far senders are checked: peer and its subnet, peer only, not at all", "strict");
        _noSourcePortCheck = Flag(SettingKeys.NoSourcePortCheck, "udp only: accept datagrams from any source port of a peer");
        _ignoreReservedBits = Flag(SettingKeys.IgnoreReservedBits, "vxlan only: accept headers with reserved bits set (RFC 7348); Linux refuses them");
        _tunOffloads = Switch(SettingKeys.TunOffloads, "Exchange super-packets with the device where the kernel can", engine.TunOffloads);
        _udpSegment = Switch(SettingKeys.UdpSegment, "Send runs of datagrams at once where the kernel can", engine.UdpSegment);
        _udpGro = Switch(SettingKeys.UdpGro, "Have the kernel merge what arrives: runs of datagrams, and TCP in VXLAN (see express lane)", engine.UdpGro);
        _coalesce = Switch(SettingKeys.Coalesce, "Merge received segments of a flow; needs --tun-offloads", engine.Coalesce);
        _pause = Text(SettingKeys.Pause, "MICROSECONDS", $"Pause after a heavy burst so that the next one is larger, 0 to {TunnelDefaults.MaxPause}; 0 never pauses", engine.PauseMicroseconds);
        _realTime = Switch(SettingKeys.RealTime, "Schedule busy workers before programs (SCHED_RR), as the kernel schedules its own devices; needs CAP_SYS_NICE", engine.RealTime);
        _expressLane = Text(SettingKeys.ExpressLane, "auto|on|off", "Carry ordinary packets of known peers inside the kernel by eBPF: auto leaves TCP to the engine where it would arrive cut and nothing merged it, on takes it too", "auto");
        _socketBuffer = Text(SettingKeys.SocketBuffer, "BYTES", $"Kernel buffer per socket and direction, from {TunnelDefaults.MinSocketBuffer}", engine.SocketBuffer);
    }

    /// <summary>Adds the flags to a command.</summary>
    internal void AddTo(Command command)
    {
        foreach ((_, Option option) in _all) command.Options.Add(option);
    }

    /// <summary>The setting of the first of these flags on the command line, or null if there is none.</summary>
    internal string? FirstGiven(ParseResult result) => _all.Find(o => IsGiven(result, o.Option)).Key;

    /// <summary>The settings as written; what was not given stays unset.</summary>
    /// <exception cref="InvalidInputException">A --peer has not the form SUBNET=IP[,MAC].</exception>
    internal TunnelSettings Read(ParseResult result)
    {
        return new()
        {
            Device = One(_device),
            Local = One(_local),
            Networks = [.. All(_networks).Select(SettingValue.FromFlag)],
            Subnets = [.. All(_subnets).Select(SettingValue.FromFlag)],
            Encap = One(_encap),
            Port = One(_port),
            Vni = One(_vni),
            Mac = One(_mac),
            Mtu = One(_mtu),
            Queues = One(_queues),
            SourcePorts = One(_sourcePorts),
            SourceCheck = One(_sourceCheck),
            NoSourcePortCheck = Present(_noSourcePortCheck),
            IgnoreReservedBits = Present(_ignoreReservedBits),
            TunOffloads = One(_tunOffloads),
            UdpSegment = One(_udpSegment),
            UdpGro = One(_udpGro),
            Coalesce = One(_coalesce),
            Pause = One(_pause),
            RealTime = One(_realTime),
            ExpressLane = One(_expressLane),
            SocketBuffer = One(_socketBuffer),
            Peers = [.. All(_peers).Select(text => PeerSettings.FromArgument(SettingKeys.ToFlag(SettingKeys.Peers), text))],
        };

        SettingValue One(Option<string> option) => IsGiven(result, option) ? SettingValue.FromFlag(result.GetValue(option)) : default;

        string[] All(Option<string[]> option) => result.GetValue(option) ?? [];

        SettingValue Present(Option<bool> option) => IsGiven(result, option) ? SettingValue.FromFlag("on") : default;
    }

    private static bool IsGiven(ParseResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private Option<string> Text(string key, string helpName, string description, object? absent = null)
    {
        var option = new Option<string>(SettingKeys.ToFlag(key)) { Description = description, HelpName = helpName };
        if (absent is not null) option.DefaultValueFactory = _ => Convert.ToString(absent, CultureInfo.InvariantCulture)!;
        _all.Add((key, option));
        return option;
    }

    private Option<string> Switch(string key, string description, bool absent) => Text(key, "on|off", description, absent ? "on" : "off");

    private Option<string[]> Many(string key, string helpName, string description)
    {
        var option = new Option<string[]>(SettingKeys.ToFlag(key)) { Description = description, HelpName = helpName, Arity = ArgumentArity.OneOrMore };
        _all.Add((key, option));
        return option;
    }

    private Option<bool> Flag(string key, string description)
    {
        var option = new Option<bool>(SettingKeys.ToFlag(key)) { Description = description, Arity = ArgumentArity.Zero };
        _all.Add((key, option));
        return option;
    }
}
