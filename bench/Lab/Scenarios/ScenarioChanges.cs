using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Scenarios;

/// <summary>What a command line changes about a scenario; null leaves it as it is.</summary>
internal sealed record ScenarioChanges
{
    /// <summary>Instead of the scenario's; empty leaves them.</summary>
    internal IReadOnlyList<string> Contenders { get; init; } = [];

    /// <summary>Ids of the workloads to keep; empty keeps all.</summary>
    internal IReadOnlyList<string> Workloads { get; init; } = [];

    internal string? Baseline { get; init; }

    internal string? Topology { get; init; }

    internal string? Underlay { get; init; }

    internal int? Mtu { get; init; }

    internal double? Loss { get; init; }

    internal double? DelayMilliseconds { get; init; }

    internal double? Reorder { get; init; }

    internal double? Duplicate { get; init; }

    internal double? Time { get; init; }

    internal int? Rounds { get; init; }

    internal double? Precision { get; init; }

    /// <summary>Makes the changed scenario.</summary>
    /// <exception cref="LabException">A change is out of range, or does not fit the others.</exception>
    internal Scenario Apply(Scenario scenario)
    {
        ContenderSpec[] contenders = Contenders.Count > 0
            ? [.. Contenders.Select(c => ContenderSpec.Parse("--contender", c))] : [.. scenario.Contenders];
        Scenario changed = scenario with
        {
            Topology = Topology is null ? scenario.Topology : TopologySpec.Parse("--topology", Topology),
            Underlay = new(
                Underlay is null ? scenario.Underlay.IsWireLike : Topologies.Underlay.ParseSetting("--underlay", Underlay),
                Within("--mtu", Mtu, ScenarioReader.MinMtu, ScenarioReader.MaxMtu) ?? scenario.Underlay.Mtu,
                Within("--loss", Loss, 0, Topologies.Underlay.MaxLoss) ?? scenario.Underlay.LossPercent)
            {
                DelayMilliseconds = Within("--delay", DelayMilliseconds, 0, Topologies.Underlay.MaxDelay) ?? scenario.Underlay.DelayMilliseconds,
                ReorderPercent = Within("--reorder", Reorder, 0, Topologies.Underlay.MaxShare) ?? scenario.Underlay.ReorderPercent,
                DuplicatePercent = Within("--duplicate", Duplicate, 0, Topologies.Underlay.MaxShare) ?? scenario.Underlay.DuplicatePercent,
            },
            Contenders = contenders,
            Workloads = Workloads.Count == 0 ? scenario.Workloads : [.. scenario.Workloads.Where(w => Workloads.Contains(w.Id))],
            Baseline = Baseline ?? (contenders.Any(c => c.Name == scenario.Baseline) ? scenario.Baseline : contenders.Length > 1 ? contenders[0].Name : null),
            TimeLimit = Within("--time", Time, 1, ScenarioReader.MaxTime) ?? scenario.TimeLimit,
            MinRounds = Math.Min(scenario.MinRounds, Rounds ?? scenario.MinRounds),
            MaxRounds = Within("--rounds", Rounds, 1, ScenarioReader.MaxRounds) ?? scenario.MaxRounds,
            PrecisionPercent = Within("--precision", Precision, 0.1, ScenarioReader.MaxPrecision) ?? scenario.PrecisionPercent,
        };
        changed.Underlay.Check();
        ScenarioReader.Check(Topology is null ? "--only" : "--topology", changed.Topology, changed.Workloads);
        ScenarioReader.Check(Baseline is null ? "--contender" : "--baseline", contenders, changed.Baseline);
        if (Workloads.FirstOrDefault(id => scenario.Workloads.All(w => w.Id != id)) is { } unknown)
            throw LabException.Input($"--only: expected workloads of {scenario.Name}: {string.Join(", ", scenario.Workloads.Select(w => w.Id))}; not \"{unknown}\"");
        return changed;
    }

    private static T? Within<T>(string flag, T? value, T min, T max) where T : struct, IComparable<T>, IFormattable
    {
        if (value is not { } number || (number.CompareTo(min) >= 0 && number.CompareTo(max) <= 0)) return value;
        throw LabException.Input(FormattableString.Invariant($"{flag}: expected a number from {min} to {max}, not {number}"));
    }
}
