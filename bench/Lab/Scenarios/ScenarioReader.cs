using System.Text.Json;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Scenarios;

/// <summary>Turns the JSON of a scenario into a <see cref="Scenario"/>, or into one error that names the field.</summary>
internal static class ScenarioReader
{
    internal const int MinMtu = 576, MaxMtu = 65535;
    internal const double MaxTime = 86_400, MaxPrecision = 50;
    internal const int MaxRounds = 1000;

    private static readonly Dictionary<string, WorkloadKind> s_kinds = Enum.GetValues<WorkloadKind>().ToDictionary(WorkloadSpec.KindName);

    /// <summary>The kinds of workload with their names.</summary>
    internal static IEnumerable<(string Name, WorkloadKind Kind)> Kinds => s_kinds.Select(k => (k.Key, k.Value));

    /// <summary>Reads a file.</summary>
    /// <exception cref="LabException">It cannot be read or is no scenario.</exception>
    internal static Scenario ReadFile(string path)
    {
        try
        {
            return Read(path, File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LabException.Input($"--scenario: expected a readable file: {e.Message}");
        }
    }

    /// <summary>Reads the text of a scenario.</summary>
    /// <param name="place">What messages begin with.</param>
    /// <param name="json">UTF-8; comments and a comma after the last item are allowed.</param>
    /// <exception cref="LabException">It is no scenario.</exception>
    internal static Scenario Read(string place, ReadOnlyMemory<byte> json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException e)
        {
            throw LabException.Input($"{place}:{e.LineNumber + 1}: not valid JSON: {e.Message.Split(" LineNumber:")[0].TrimEnd('.')}");
        }
        using (document) return Read(new JsonFields(place, document.RootElement));
    }

    /// <summary>Names must tell contenders apart, and the baseline must be among them.</summary>
    /// <exception cref="LabException">They do not.</exception>
    internal static void Check(string place, IReadOnlyList<ContenderSpec> contenders, string? baseline)
    {
        if (contenders.Count > AddressPlan.MaxContenders)
            throw LabException.Input($"{place}: expected at most {AddressPlan.MaxContenders} contenders, not {contenders.Count}");
        if (contenders.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw LabException.Input($"{place}: {twice.Key} is there twice");
        if (baseline is not null && contenders.All(c => c.Name != baseline))
            throw LabException.Input($"{place}: the baseline {baseline} is none of {string.Join(", ", contenders.Select(c => c.Name))}");
    }

    /// <summary>Whether the topology has what the workloads need.</summary>
    /// <exception cref="LabException">It has not.</exception>
    internal static void Check(string place, TopologySpec topology, IReadOnlyList<WorkloadSpec> workloads)
    {
        if (workloads.FirstOrDefault(w => w.Kind == WorkloadKind.Fairness) is { } fairness && topology.Nodes < FairnessWorkload.Nodes)
            throw LabException.Input($"{place}: {fairness.Id} needs a node that receives, one that floods and a quiet one: star:3 or more, not {topology}");
        if (workloads.FirstOrDefault(w => w.Kind == WorkloadKind.Peers) is { } peers && topology.Nodes > 2)
            throw LabException.Input($"{place}: {peers.Id} counts one peer that is spoken to: expected two nodes, not {topology}");
    }

    private static Scenario Read(JsonFields fields)
    {
        string baseline = fields.Text("baseline", "");
        ContenderSpec[] contenders = [.. fields.List("contenders").Select((c, i) => ReadContender(fields.Place($"contenders[{i}]"), c))];
        WorkloadSpec[] workloads = [.. fields.List("workloads").Select((w, i) => ReadWorkload(new(fields.Place($"workloads[{i}]"), w)))];
        var scenario = new Scenario
        {
            Name = fields.Text("name"),
            Description = fields.Text("description", ""),
            Topology = TopologySpec.Parse(fields.Place("topology"), fields.Text("topology", "pair")),
            Underlay = new(
                Underlay.ParseSetting(fields.Place("underlay"), fields.Text("underlay", "veth")),
                fields.Integer("mtu", MinMtu, MaxMtu, 1500), fields.Number("loss", 0, Underlay.MaxLoss, 0))
            {
                DelayMilliseconds = fields.Number("delay_ms", 0, Underlay.MaxDelay, 0),
                ReorderPercent = fields.Number("reorder", 0, Underlay.MaxShare, 0),
                DuplicatePercent = fields.Number("duplicate", 0, Underlay.MaxShare, 0),
            },
            Contenders = contenders,
            Baseline = baseline.Length > 0 ? baseline : null,
            Workloads = workloads,
            TimeLimit = fields.Number("time", 1, MaxTime, 600),
            MinRounds = fields.Integer("min_rounds", 1, MaxRounds, 5),
            MaxRounds = fields.Integer("max_rounds", 1, MaxRounds, 25),
            PrecisionPercent = fields.Number("precision", 0.1, MaxPrecision, 5),
        };
        fields.Finish();
        scenario.Underlay.Check();
        Check(fields.Place("contenders"), contenders, scenario.Baseline);
        Check(fields.Place("topology"), scenario.Topology, workloads);
        if (workloads.GroupBy(w => w.Id).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw LabException.Input($"{fields.Place("workloads")}: {twice.Key} is there twice");
        if (scenario.MinRounds > scenario.MaxRounds)
            throw LabException.Input($"{fields.Place("min_rounds")}: expected at most max_rounds, which is {scenario.MaxRounds}, not {scenario.MinRounds}");
        return scenario;
    }

    private static ContenderSpec ReadContender(string place, JsonElement value) => value.ValueKind == JsonValueKind.String
        ? ContenderSpec.Parse(place, value.GetString()!)
        : throw LabException.Input($"{place}: expected a text, {ContenderSpec.Syntax}, not {value.GetRawText()}");

    private static WorkloadSpec ReadWorkload(JsonFields fields)
    {
        string name = fields.Text("kind");
        if (!s_kinds.TryGetValue(name, out WorkloadKind kind))
            throw LabException.Input($"{fields.Place("kind")}: expected one of {string.Join(", ", s_kinds.Keys)}, not \"{name}\"");
        // A workload that runs once in a long run must not be as short as one of a round.
        bool isLong = kind == WorkloadKind.Stability;
        var spec = new WorkloadSpec { Kind = kind, Seconds = fields.Number("seconds", 0.1, MaxTime, isLong ? 60 : 2) };
        // Fields that would change nothing are unknown, which Finish reports.
        if (kind is WorkloadKind.Tcp or WorkloadKind.Connect or WorkloadKind.Mixed or WorkloadKind.Stability) spec = spec with { Streams = fields.Integer("streams", 1, 64, 1) };
        if (kind == WorkloadKind.Tcp) spec = spec with { Bidirectional = fields.Switch("bidirectional") };
        if (kind is WorkloadKind.Tcp or WorkloadKind.RttLoaded or WorkloadKind.Mixed or WorkloadKind.Peers or WorkloadKind.Stability) spec = spec with { Congestion = fields.Text("congestion", "cubic") };
        if (kind is WorkloadKind.UdpFlood or WorkloadKind.UdpRate) spec = spec with { Size = fields.Integer("size", 32, 9000) };
        if (kind is WorkloadKind.Rtt or WorkloadKind.RttLoaded or WorkloadKind.Peers or WorkloadKind.Fairness) spec = spec with { Size = fields.Integer("size", 32, 9000, 64) };
        if (kind is WorkloadKind.Rtt or WorkloadKind.RttLoaded or WorkloadKind.Mixed or WorkloadKind.Fairness)
            spec = spec with { IntervalMicroseconds = fields.Integer("interval_us", 10, 1_000_000, 1000) };
        if (kind is WorkloadKind.Mixed or WorkloadKind.Stability) spec = spec with { Size = fields.Integer("size", 32, 9000, 1000) };
        if (kind is WorkloadKind.Mixed or WorkloadKind.Fairness or WorkloadKind.Stability) spec = spec with { Rate = fields.Integer("rate", 1, 10_000_000, 10_000) };
        if (isLong) spec = spec with { Flows = fields.Integer("flows", 1, 16, 4), IntervalSeconds = fields.Number("interval", 0.1, 3600, 1) };
        if (kind == WorkloadKind.Peers) spec = spec with { Counts = ReadCounts(fields) };
        fields.Finish();
        if (isLong && spec.Seconds < 4 * spec.IntervalSeconds)
            throw LabException.Input(FormattableString.Invariant($"{fields.Place("interval")}: expected at most a quarter of seconds, which is {spec.Seconds}, not {spec.IntervalSeconds}"));
        return spec;
    }

    private static int[] ReadCounts(JsonFields fields)
    {
        int[] counts = [.. fields.List("counts").Select(c => c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out int n) ? n : 0)];
        bool ascends = counts.Length > 1 && counts[0] >= 1 && counts[^1] <= AddressPlan.MaxPeers;
        for (int i = 1; i < counts.Length; i++) ascends &= counts[i] > counts[i - 1];
        return ascends ? counts : throw LabException.Input($"{fields.Place("counts")}: expected at least two ascending whole numbers from 1 to {AddressPlan.MaxPeers}, for example [1, 1000, 100000]");
    }
}
