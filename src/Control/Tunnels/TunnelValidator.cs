using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tunnels;

/// <summary>Turns settings into a <see cref="TunnelConfig"/>. Looks at nothing on the host, so that <c>--check</c> runs anywhere.</summary>
internal static class TunnelValidator
{
    private static readonly Dictionary<string, EncapsulationKind> s_encapsulations = new()
    {
        ["udp"] = EncapsulationKind.Udp,
        ["vxlan"] = EncapsulationKind.Vxlan,
    };

    private static readonly Dictionary<string, SourceCheck> s_sourceChecks = new()
    {
        ["strict"] = SourceCheck.Strict,
        ["peer"] = SourceCheck.Peer,
        ["off"] = SourceCheck.Off,
    };

    private static readonly Dictionary<string, ExpressLaneMode> s_expressLaneModes = new()
    {
        ["auto"] = ExpressLaneMode.Auto,
        ["on"] = ExpressLaneMode.On,
        ["off"] = ExpressLaneMode.Off,
    };

    /// <summary>Checks every setting by itself and against the others.</summary>
    /// <exception cref="InvalidInputException">The first thing that is wrong.</exception>
    internal static TunnelConfig Validate(TunnelSettings settings, SettingOrigin origin)
    {
        var read = new SettingReader(origin);
        if (!settings.Device.IsSet) throw origin.Missing(SettingKeys.Device, "the name of the TUN device, for example ff0");
        string device = read.DeviceName(SettingKeys.Device, settings.Device);
        if (!settings.Local.IsSet) throw origin.Missing(SettingKeys.Local, "this host's underlay address, for example 192.0.2.1");
        if (!settings.Encap.IsSet) throw origin.Missing(SettingKeys.Encap, "udp or vxlan");
        if (settings.Networks.Count == 0) throw origin.Missing(SettingKeys.Networks, "the network of all pods, for example 10.5.0.0/16");
        if (settings.Subnets.Count == 0) throw origin.Missing(SettingKeys.Subnets, "this host's part of the network, for example 10.5.1.0/24");

        EngineOptions engine = Engine(settings, origin, read);
        List<IPNetwork> networks = OnePerFamily(SettingKeys.Networks, settings.Networks, engine, origin, read);
        List<IPNetwork> subnets = OnePerFamily(SettingKeys.Subnets, settings.Subnets, engine, origin, read);
        MatchSubnets(settings, networks, subnets, engine.Local, origin);

        var config = new TunnelConfig
        {
            Device = device,
            Networks = networks,
            Subnets = [.. networks.Select(n => subnets.First(s => s.BaseAddress.AddressFamily == n.BaseAddress.AddressFamily))],
            Mtu = 0,
            Engine = engine,
            Peers = [],
        };
        return config with { Mtu = Mtu(settings, config, origin, read), Peers = new PeerValidator(config, origin).Validate(settings.Peers) };
    }

    private static EngineOptions Engine(TunnelSettings settings, SettingOrigin origin, SettingReader read)
    {
        EncapsulationKind encapsulation = read.Choice(SettingKeys.Encap, settings.Encap, s_encapsulations);
        IPAddress local = read.UnicastAddress(SettingKeys.Local, settings.Local);
        OnlyWith(EncapsulationKind.Vxlan, SettingKeys.Vni, settings.Vni);
        OnlyWith(EncapsulationKind.Vxlan, SettingKeys.Mac, settings.Mac);
        OnlyWith(EncapsulationKind.Vxlan, SettingKeys.IgnoreReservedBits, settings.IgnoreReservedBits);
        OnlyWith(EncapsulationKind.Vxlan, SettingKeys.SourcePorts, settings.SourcePorts);
        OnlyWith(EncapsulationKind.Udp, SettingKeys.NoSourcePortCheck, settings.NoSourcePortCheck);

        var options = new EngineOptions
        {
            Encapsulation = encapsulation,
            Local = local,
            Port = read.Integer(SettingKeys.Port, settings.Port, 1, 65535, TunnelDefaults.PortOf(encapsulation)),
            Vni = read.Integer(SettingKeys.Vni, settings.Vni, 0, TunnelDefaults.MaxVni, TunnelDefaults.Vni),
            Mac = encapsulation == EncapsulationKind.Udp ? default(MacAddress)
                : settings.Mac.IsSet ? read.UnicastMac(SettingKeys.Mac, settings.Mac) : VtepMac.Derive(local),
            Queues = read.Integer(SettingKeys.Queues, settings.Queues, 1, TunnelDefaults.MaxQueues, TunnelDefaults.Queues),
        };
        bool tunOffloads = read.Switch(SettingKeys.TunOffloads, settings.TunOffloads, options.TunOffloads);
        bool coalesce = read.Switch(SettingKeys.Coalesce, settings.Coalesce, options.Coalesce && tunOffloads);
        if (coalesce && !tunOffloads)
            throw origin.Refused(SettingKeys.Coalesce, settings.Coalesce, $"needs {origin.Name(SettingKeys.TunOffloads)}, which is off");

        return options with
        {
            SourcePorts = read.Integer(SettingKeys.SourcePorts, settings.SourcePorts, 1, EngineOptions.MaxSourcePorts, options.SourcePorts),
            SourceCheck = settings.SourceCheck.IsSet
                ? read.Choice(SettingKeys.SourceCheck, settings.SourceCheck, s_sourceChecks) : options.SourceCheck,
            CheckSourcePort = !read.Switch(SettingKeys.NoSourcePortCheck, settings.NoSourcePortCheck, false),
            IgnoreReservedBits = read.Switch(SettingKeys.IgnoreReservedBits, settings.IgnoreReservedBits, false),
            TunOffloads = tunOffloads,
            Coalesce = coalesce,
            UdpSegment = read.Switch(SettingKeys.UdpSegment, settings.UdpSegment, options.UdpSegment),
            UdpGro = read.Switch(SettingKeys.UdpGro, settings.UdpGro, options.UdpGro),
            PauseMicroseconds = read.Integer(SettingKeys.Pause, settings.Pause, 0, TunnelDefaults.MaxPause, options.PauseMicroseconds),
            RealTime = read.Switch(SettingKeys.RealTime, settings.RealTime, options.RealTime),
            ExpressLane = settings.ExpressLane.IsSet
                ? read.Choice(SettingKeys.ExpressLane, settings.ExpressLane, s_expressLaneModes) : options.ExpressLane,
            SocketBuffer = read.Integer(SettingKeys.SocketBuffer, settings.SocketBuffer,
                TunnelDefaults.MinSocketBuffer, TunnelDefaults.MaxSocketBuffer, options.SocketBuffer),
        };

        void OnlyWith(EncapsulationKind needed, string key, SettingValue value)
        {
            // A switch written as false changes nothing, so a file may list it for either encapsulation.
            if (!value.IsSet || encapsulation == needed || value is { Kind: SettingKind.Boolean, Text: "false" }) return;
            throw origin.Refused(key, value, $"has a meaning only with {origin.Name(SettingKeys.Encap)} {(needed == EncapsulationKind.Udp ? "udp" : "vxlan")}");
        }
    }

    private static List<IPNetwork> OnePerFamily(
        string key, List<SettingValue> values, EngineOptions engine, SettingOrigin origin, SettingReader read)
    {
        var networks = new List<IPNetwork>(values.Count);
        foreach (SettingValue value in values)
        {
            IPNetwork network = read.Network(key, value);
            AddressFamily family = network.BaseAddress.AddressFamily;
            if (family == AddressFamily.InterNetworkV6 && engine.Encapsulation == EncapsulationKind.Udp)
                throw origin.Unexpected(key, value, $"an IPv4 network: {origin.Name(SettingKeys.Encap)} udp carries no IPv6, vxlan does");
            IPNetwork[] same = [.. networks.Where(n => n.BaseAddress.AddressFamily == family)];
            if (same.Length > 0)
                throw origin.Refused(key, value, $"expected one network per family, but {same[0]} and {network} are both {AddressRules.FamilyName(network.BaseAddress)}");
            networks.Add(network);
        }
        return networks;
    }

    private static void MatchSubnets(
        TunnelSettings settings, List<IPNetwork> networks, List<IPNetwork> subnets, IPAddress local, SettingOrigin origin)
    {
        for (int i = 0; i < subnets.Count; i++)
        {
            IPNetwork subnet = subnets[i];
            if (!networks.Any(n => AddressRules.IsInside(subnet, n)))
                throw origin.Unexpected(SettingKeys.Subnets, settings.Subnets[i], $"a part of {string.Join(" or ", networks)}");
            if (subnet.Contains(local))
                throw origin.Unexpected(SettingKeys.Subnets, settings.Subnets[i], $"a network without {origin.Name(SettingKeys.Local)} {local}, which belongs to the underlay");
        }
        for (int i = 0; i < networks.Count; i++)
        {
            IPAddress address = networks[i].BaseAddress;
            if (!subnets.Exists(s => s.BaseAddress.AddressFamily == address.AddressFamily))
                throw origin.Refused(SettingKeys.Networks, settings.Networks[i], $"{networks[i]} needs an {AddressRules.FamilyName(address)} {origin.Name(SettingKeys.Subnets)} of this host");
        }
    }

    private static int Mtu(TunnelSettings settings, TunnelConfig config, SettingOrigin origin, SettingReader read)
    {
        int mtu = read.Integer(SettingKeys.Mtu, settings.Mtu, 0, TunnelDefaults.MaxMtu, 0);
        if (mtu == 0 || mtu >= config.MinMtu) return mtu;
        string why = config.MinMtu == TunnelDefaults.MinMtuOfV6 ? " because the tunnel carries IPv6" : "";
        throw origin.Unexpected(SettingKeys.Mtu, settings.Mtu, $"0 or {config.MinMtu} to {TunnelDefaults.MaxMtu}{why}");
    }
}
