namespace FlannelFast.Control.Firewall;

/// <summary>How a rule looks at <see cref="FirewallRule.KubeProxyMark"/>.</summary>
internal enum MarkMatch
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>The bit is set, whatever the others are.</summary>
    Bit,

    /// <summary>The mark is that and nothing else.</summary>
    Whole,
}
