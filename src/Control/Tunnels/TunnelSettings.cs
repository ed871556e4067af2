namespace FlannelFast.Control.Tunnels;

/// <summary>
/// The settings of a tunnel as the user wrote them, before any check: the root object of a configuration file, or the flags.
/// <see cref="TunnelValidator"/> turns them into a <see cref="TunnelConfig"/>. Settable, because the generated reader gives an
/// init-only list that a file leaves out the value null instead of its initial one.
/// </summary>
internal sealed class TunnelSettings
{
    public SettingValue Device { get; set; }

    public SettingValue Local { get; set; }

    public List<SettingValue> Networks { get; set; } = [];

    public List<SettingValue> Subnets { get; set; } = [];

    public SettingValue Encap { get; set; }

    public SettingValue Port { get; set; }

    public SettingValue Vni { get; set; }

    public SettingValue Mac { get; set; }

    public SettingValue Mtu { get; set; }

    public SettingValue Queues { get; set; }

    public SettingValue SourcePorts { get; set; }

    public SettingValue SourceCheck { get; set; }

    public SettingValue NoSourcePortCheck { get; set; }

    public SettingValue IgnoreReservedBits { get; set; }

    public SettingValue TunOffloads { get; set; }

    public SettingValue UdpSegment { get; set; }

    public SettingValue UdpGro { get; set; }

    public SettingValue Coalesce { get; set; }

    public SettingValue Pause { get; set; }

    public SettingValue RealTime { get; set; }

    public SettingValue ExpressLane { get; set; }

    public SettingValue SocketBuffer { get; set; }

    public List<PeerSettings> Peers { get; set; } = [];
}
