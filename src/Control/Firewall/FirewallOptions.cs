namespace FlannelFast.Control.Firewall;

/// <summary>What the flags say about rules and routes of the firewall's kind.</summary>
internal sealed record FirewallOptions
{
    /// <summary>-ip-masq.</summary>
    internal bool Masquerade { get; init; }

    /// <summary>-ip-masq-fully-random-disable, inverted.</summary>
    internal bool FullyRandom { get; init; } = true;

    /// <summary>-iptables-forward-rules.</summary>
    internal bool Forward { get; init; } = true;

    /// <summary>-ip-blackhole-route.</summary>
    internal bool BlackholeRoute { get; init; }

    /// <summary>-iptables-resync: how long a damaged rule may stay damaged. Less than a second counts as one.</summary>
    internal TimeSpan Resync { get; init; } = TimeSpan.FromSeconds(5);
}
