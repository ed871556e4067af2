namespace FlannelFast.Lab.Reports;

/// <summary>The set-up of a run. Two runs are compared only if these agree.</summary>
/// <param name="Name">Of the scenario.</param>
/// <param name="Topology">"pair", "star:4", "pods".</param>
/// <param name="Underlay">"veth" or "wire-like".</param>
/// <param name="Mtu">Of the underlay, bytes.</param>
/// <param name="LossPercent">Added to the underlay.</param>
/// <param name="Baseline">Contender that ratios refer to.</param>
/// <param name="PrecisionPercent">What the intervals were to reach.</param>
internal sealed record ScenarioFacts(
    string Name, string Topology, string Underlay, int Mtu, double LossPercent, string? Baseline, double PrecisionPercent)
{
    /// <summary>From node to node, milliseconds.</summary>
    public double DelayMs { get; init; }

    /// <summary>Frames that skip the delay.</summary>
    public double ReorderPercent { get; init; }

    /// <summary>Frames that arrive twice.</summary>
    public double DuplicatePercent { get; init; }

    /// <summary>The same for people: "star:4, wire-like, MTU 1500, delay 5 ms".</summary>
    internal string Describe() => FormattableString.Invariant($"{Topology}, {Underlay}, MTU {Mtu}") +
        new Topologies.Underlay(false, Mtu, LossPercent) { DelayMilliseconds = DelayMs, ReorderPercent = ReorderPercent, DuplicatePercent = DuplicatePercent }.Impairments;
}
