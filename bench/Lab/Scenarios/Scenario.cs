using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Scenarios;

/// <summary>Everything that one run of the lab is told.</summary>
internal sealed record Scenario
{
    internal required string Name { get; init; }

    internal required string Description { get; init; }

    internal required TopologySpec Topology { get; init; }

    internal required Underlay Underlay { get; init; }

    internal required IReadOnlyList<ContenderSpec> Contenders { get; init; }

    /// <summary>Name of the contender that ratios refer to, or null without one.</summary>
    internal required string? Baseline { get; init; }

    internal required IReadOnlyList<WorkloadSpec> Workloads { get; init; }

    /// <summary>Seconds after which no further round begins.</summary>
    internal required double TimeLimit { get; init; }

    /// <summary>Every workload is measured at least as often, time permitting.</summary>
    internal required int MinRounds { get; init; }

    /// <summary>And at most as often.</summary>
    internal required int MaxRounds { get; init; }

    /// <summary>A workload is done when the interval of every ratio is within this of its median, percent.</summary>
    internal required double PrecisionPercent { get; init; }
}
