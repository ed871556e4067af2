using FlannelFast.Control.Firewall;
using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags of firewall rules and blackhole routes.</summary>
internal sealed class FirewallFlags(GoFlagSet set)
{
    internal BooleanFlag IpMasq { get; } = set.Add(new BooleanFlag("ip-masq", false, "set up IP masquerade rules for traffic destined outside of the overlay network"));

    internal BooleanFlag FullyRandomDisable { get; } = set.Add(new BooleanFlag("ip-masq-fully-random-disable", false, "masquerade without --random-fully"));

    internal IntegerFlag ResyncSeconds { get; } = set.Add(new IntegerFlag("iptables-resync", 5, 1, 86400, "resync period for firewall rules, in seconds"));

    internal BooleanFlag ForwardRules { get; } = set.Add(new BooleanFlag("iptables-forward-rules", true, "add default accept rules to the FORWARD chain"));

    internal BooleanFlag BlackholeRoute { get; } = set.Add(new BooleanFlag("ip-blackhole-route", false, "set up a blackhole route for the subnet of this host"));

    internal FirewallOptions ToOptions() => new()
    {
        Masquerade = IpMasq.Value,
        FullyRandom = !FullyRandomDisable.Value,
        Forward = ForwardRules.Value,
        BlackholeRoute = BlackholeRoute.Value,
        Resync = TimeSpan.FromSeconds(ResyncSeconds.Value),
    };
}
