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

    /// <summary>Names of the kinds of workload.</summary>
    internal static IEnumerable<string> Kinds => s_kinds.Keys;

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
                fields.Integer("mtu", MinMtu, MaxMtu, 1500), fields.Number("loss", 0, Underlay.MaxLoss, 0)),
            Contenders = contenders,
            Baseline = baseline.Length > 0 ? baseline : null,
            Workloads = workloads,
            TimeLimit = fields.Number("time", 1, MaxTime, 600),
            MinRounds = fields.Integer("min_rounds", 1, MaxRounds, 5),
            MaxRounds = fields.Integer("max_rounds", 1, MaxRounds, 25),
            PrecisionPercent = fields.Number("precision", 0.1, MaxPrecision, 5),
        };
        fields.Finish();
        Check(fields.Place("contenders"), contenders, scenario.Baseline);
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
        bool isTcp = kind == WorkloadKind.Tcp;
        var spec = new WorkloadSpec { Kind = kind, Seconds = fields.Number("seconds", 0.1, 3600, 2) };
        // Fields that would change nothing are unknown, which Finish reports.
        if (isTcp || kind == WorkloadKind.Connect) spec = spec with { Streams = fields.Integer("streams", 1, 64, 1) };
        if (isTcp) spec = spec with { Bidirectional = fields.Switch("bidirectional") };
        if (isTcp || kind == WorkloadKind.RttLoaded) spec = spec with { Congestion = fields.Text("congestion", "cubic") };
        if (kind is WorkloadKind.UdpFlood or WorkloadKind.UdpRate) spec = spec with { Size = fields.Integer("size", 32, 9000) };
        if (kind is WorkloadKind.Rtt or WorkloadKind.RttLoaded)
            spec = spec with { Size = fields.Integer("size", 32, 9000, 64), IntervalMicroseconds = fields.Integer("interval_us", 10, 1_000_000, 1000) };
        fields.Finish();
        return spec;
    }
}
