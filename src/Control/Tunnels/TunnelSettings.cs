namespace FlannelFast.Control.Tunnels;

/// <summary>
/// The settings of a tunnel as the user wrote them, before any check: the root object of a configuration file, or the flags.
/// <see cref="TunnelValidator"/> turns them into a <see cref="TunnelConfig"/>.
/// </summary>
internal sealed class TunnelSettings
{
    public SettingValue Device { get; init; }

    public SettingValue Local { get; init; }

    public List<SettingValue> Networks { get; init; } = [];

    public List<SettingValue> Subnets { get; init; } = [];

    public SettingValue Encap { get; init; }

    public SettingValue Port { get; init; }

    public SettingValue Vni { get; init; }

    public SettingValue Mac { get; init; }

    public SettingValue Mtu { get; init; }

    public SettingValue Queues { get; init; }

    public SettingValue SourceCheck { get; init; }

    public SettingValue NoSourcePortCheck { get; init; }

    public SettingValue IgnoreReservedBits { get; init; }

    public SettingValue TunOffloads { get; init; }

    public SettingValue UdpSegment { get; init; }

    public SettingValue UdpGro { get; init; }

    public SettingValue Coalesce { get; init; }

    public SettingValue Pause { get; init; }

    public SettingValue SocketBuffer { get; init; }

    public List<PeerSettings> Peers { get; init; } = [];
}
