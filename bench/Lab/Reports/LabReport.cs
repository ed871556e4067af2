using System.Runtime.InteropServices;
using System.Text.Json;
using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Reports;

/// <summary>Everything about one run: what <c>--json</c> writes. A change of meaning raises the schema number.</summary>
internal sealed record LabReport
{
    /// <summary>The only schema there is.</summary>
    internal const int CurrentSchema = 1;

    public int Schema { get; init; } = CurrentSchema;

    /// <summary>Start of the run, UTC.</summary>
    public required DateTimeOffset Date { get; init; }

    public required double DurationSeconds { get; init; }

    /// <summary>True if the run was stopped (SIGINT, SIGTERM): the rounds that were finished are here, further ones were meant to follow.</summary>
    public bool Interrupted { get; init; }

    public required ProgramFacts Program { get; init; }

    public required MachineFacts Machine { get; init; }

    public required ScenarioFacts Scenario { get; init; }

    /// <summary>What the relay of an impaired underlay does; null without one.</summary>
    public RelayFacts? Relay { get; init; }

    public required IReadOnlyList<ContenderFacts> Contenders { get; init; }

    public required IReadOnlyList<WorkloadFacts> Workloads { get; init; }

    public required IReadOnlyList<Summary> Summaries { get; init; }

    public required IReadOnlyList<Measurement> Measurements { get; init; }

    public required IReadOnlyList<FailedMeasurement> Failures { get; init; }

    /// <summary>Where the time went, from a round that is in no figure; empty unless asked for.</summary>
    public IReadOnlyList<ProfileFacts> Profiles { get; init => field = value ?? []; } = [];

    /// <summary>What was dropped by reason, all rounds together, the most first.</summary>
    internal IEnumerable<DropTotal> Drops =>
        from m in Measurements
        from d in m.Drops
        group d.Value by (m.Workload, m.Contender, Reason: d.Key) into g
        select new DropTotal(g.Key.Workload, g.Key.Contender, g.Key.Reason, g.Sum()) into total
        orderby total.Count descending
        select total;

    /// <summary>
    /// Slowest, median and fastest <see cref="Measurement.CoreCopyGbPerSecond"/>; null without any. Far apart, they say that a virtual machine's processors
    /// were moved between cores meanwhile, and that rounds differ for that reason.
    /// </summary>
    internal (double Slowest, double Median, double Fastest)? CoreCopy
    {
        get
        {
            var all = new List<double>();
            foreach (Measurement measurement in Measurements)
            {
                if (measurement.CoreCopyGbPerSecond is { } speed) all.Add(speed);
            }
            if (all.Count == 0) return null;
            all.Sort();
            return (all[0], Sample.MedianOfSorted(CollectionsMarshal.AsSpan(all)), all[^1]);
        }
    }

    /// <summary>Reads a file that <c>--json</c> wrote.</summary>
    /// <exception cref="LabException">It cannot be read, or is none.</exception>
    internal static LabReport ReadFile(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            LabReport report = JsonSerializer.Deserialize(file, LabJsonContext.Default.LabReport) ?? throw LabException.Input($"{path}: expected a report of \"flannelfast lab run --json\", not null");
            return report.Schema == CurrentSchema
                ? report
                : throw LabException.Input($"{path}: expected schema {CurrentSchema}, not {report.Schema}");
        }
        catch (JsonException e)
        {
            throw LabException.Input($"{path}:{(e.LineNumber ?? 0) + 1}: expected a report of \"flannelfast lab run --json\": {e.Message.Split(" Path:")[0]}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LabException.Input($"expected a readable report: {e.Message}");
        }
    }

    /// <summary>The text of the file.</summary>
    internal string ToJson() => JsonSerializer.Serialize(this, LabJsonContext.Default.LabReport) + "\n";
}
