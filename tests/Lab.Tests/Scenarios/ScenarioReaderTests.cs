using System.Text;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Scenarios;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Tests.Scenarios;

public sealed class ScenarioReaderTests
{
    private const string Valid = """
        {
          "name": "mine", "topology": "star:3", "underlay": "wire-like", "mtu": 9000, "loss": 0.5, "delay_ms": 5, "reorder": 2.5, "duplicate": 1,
          "contenders": ["raw", "udp:queues=2"], "baseline": "raw", "time": 30, "min_rounds": 2, "max_rounds": 4, "precision": 2.5,
          "workloads": [{ "kind": "tcp", "streams": 4, "bidirectional": true, "seconds": 0.5 }, { "kind": "udp-rate", "size": 1400 }]
        }
        """;

    private static Scenario Read(string json) => ScenarioReader.Read("s.json", Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Every_field_arrives()
    {
        Scenario scenario = Read(Valid);
        Assert.Equal(("mine", "raw", 30.0, 2, 4, 2.5), (scenario.Name, scenario.Baseline, scenario.TimeLimit, scenario.MinRounds, scenario.MaxRounds, scenario.PrecisionPercent));
        Assert.Equal(new TopologySpec(TopologyKind.Star, 3), scenario.Topology);
        Assert.Equal(new Underlay(true, 9000, 0.5) { DelayMilliseconds = 5, ReorderPercent = 2.5, DuplicatePercent = 1 }, scenario.Underlay);
        Assert.Equal([ContenderKind.Raw, ContenderKind.Udp], scenario.Contenders.Select(c => c.Kind));
        Assert.Equal(["tcp-4-bidirectional", "udp-rate-1400"], scenario.Workloads.Select(w => w.Id));
        Assert.Equal(0.5, scenario.Workloads[0].Seconds);
    }

    [Theory]
    [InlineData("\"star:3\"", "\"ring\"", "s.json: topology: expected pair, star:N with 2 to 64 nodes, or pods, not \"ring\"")]
    [InlineData("\"star:3\"", "\"star:1\"", "s.json: topology: expected pair, star:N with 2 to 64 nodes, or pods, not \"star:1\"")]
    [InlineData("\"wire-like\"", "\"wire\"", "s.json: underlay: expected veth or wire-like, not \"wire\"")]
    [InlineData("9000", "100", "s.json: mtu: expected a whole number from 576 to 65535, not 100")]
    [InlineData("0.5,", "51,", "s.json: loss: expected a number from 0 to 50, not 51")]
    [InlineData("\"delay_ms\": 5", "\"delay_ms\": 1001", "s.json: delay_ms: expected a number from 0 to 1000, not 1001")]
    [InlineData("\"delay_ms\": 5, ", "", "reordering: expected a delay as well; a frame overtakes others by skipping it")]
    [InlineData("\"wire-like\"", "\"veth\"", "delay, reordering and duplication: expected the underlay wire-like, not veth, where 64 KiB cross as one frame and would be late, repeated or lost as one")]
    [InlineData("\"baseline\": \"raw\"", "\"baseline\": \"rawr\"", "s.json: contenders: the baseline rawr is none of raw, udp:queues=2")]
    [InlineData("\"udp:queues=2\"", "\"raw\"", "s.json: contenders: raw is there twice")]
    [InlineData("\"udp:queues=2\"", "7", "s.json: contenders[1]: expected a text, " + ContenderSpec.Syntax + ", not 7")]
    [InlineData("\"min_rounds\": 2", "\"min_rounds\": 9", "s.json: min_rounds: expected at most max_rounds, which is 4, not 9")]
    [InlineData("\"streams\": 4", "\"streams\": 0", "s.json: workloads[0].streams: expected a whole number from 1 to 64, not 0")]
    [InlineData("\"streams\": 4", "\"size\": 4", "s.json: workloads[0].size: no such field here; expected one of kind, seconds, streams, bidirectional, congestion")]
    [InlineData("\"size\": 1400", "\"seconds\": 2", "s.json: workloads[1].size: missing")]
    [InlineData("\"udp-rate\"", "\"udp\"", "s.json: workloads[1].kind: expected one of tcp, udp-flood, udp-rate, rtt, rtt-loaded, connect, mixed, peers, fairness, stability, not \"udp\"")]
    [InlineData("true", "1", "s.json: workloads[0].bidirectional: expected true or false, not 1")]
    [InlineData("\"precision\": 2.5", "\"precisoin\": 2.5", "s.json: precisoin: no such field here; expected one of baseline, contenders, workloads, name, description, topology, underlay, mtu, loss, delay_ms, reorder, duplicate, time, min_rounds, max_rounds, precision")]
    [InlineData("\"time\": 30", "\"mtu\": 1500", "s.json: mtu: given twice")]
    [InlineData("\"name\": \"mine\"", "\"name\": \"\"", "s.json: name: expected a text, not \"\"")]
    public void A_mistake_is_named_with_its_place(string valid, string wrong, string message)
    {
        Assert.Contains(valid, Valid, StringComparison.Ordinal);
        LabException error = Assert.Throws<LabException>(() => Read(Valid.Replace(valid, wrong, StringComparison.Ordinal)));
        Assert.Equal((message, true), (error.Message, error.IsInput));
    }

    [Theory]
    [InlineData("\"kind\": \"mixed\", \"streams\": 4, \"rate\": 20000, \"size\": 200", "mixed-4-20000x200")]
    [InlineData("\"kind\": \"peers\", \"counts\": [1, 1000, 100000], \"congestion\": \"reno\"", "peers-1-1000-100000-reno")]
    [InlineData("\"kind\": \"fairness\", \"rate\": 5000, \"size\": 1400", "fairness-5000x1400")]
    [InlineData("\"kind\": \"stability\", \"streams\": 2, \"flows\": 3, \"rate\": 100, \"interval\": 0.5, \"seconds\": 2", "stability-2-3x100")]
    public void Workloads_of_several_parts_are_read(string workload, string id)
    {
        string topology = workload.Contains("peers", StringComparison.Ordinal) ? "pair" : "star:3";
        Assert.Equal(id, Read($$"""{ "name": "n", "topology": "{{topology}}", "contenders": ["raw"], "workloads": [{ {{workload}} }] }""").Workloads[0].Id);
    }

    [Theory]
    [InlineData("pair", "\"kind\": \"fairness\"", "s.json: topology: fairness-10000x64 needs a node that receives, one that floods and a quiet one: star:3 or more, not pair")]
    [InlineData("star:3", "\"kind\": \"peers\", \"counts\": [1, 2]", "s.json: topology: peers-1-2 counts one peer that is spoken to: expected two nodes, not star:3")]
    [InlineData("pair", "\"kind\": \"peers\", \"counts\": [2, 1]", "s.json: workloads[0].counts: expected at least two ascending whole numbers from 1 to 100000, for example [1, 1000, 100000]")]
    [InlineData("pair", "\"kind\": \"peers\", \"counts\": [1, 100001]", "s.json: workloads[0].counts: expected at least two ascending whole numbers from 1 to 100000, for example [1, 1000, 100000]")]
    [InlineData("pair", "\"kind\": \"peers\", \"counts\": [1, \"x\"]", "s.json: workloads[0].counts: expected at least two ascending whole numbers from 1 to 100000, for example [1, 1000, 100000]")]
    [InlineData("pair", "\"kind\": \"stability\", \"seconds\": 3", "s.json: workloads[0].interval: expected at most a quarter of seconds, which is 3, not 1")]
    public void Workloads_of_several_parts_are_checked(string topology, string workload, string message) => Assert.Equal(
        message,
        Assert.Throws<LabException>(() => Read($$"""{ "name": "n", "topology": "{{topology}}", "contenders": ["raw"], "workloads": [{ {{workload}} }] }""")).Message);

    [Fact]
    public void A_broken_file_is_named_with_its_line()
    {
        Assert.StartsWith("s.json:2: not valid JSON: ", Assert.Throws<LabException>(() => Read("{\n  \"name\" 1")).Message, StringComparison.Ordinal);
        Assert.Equal("s.json: expected an object in braces, not []", Assert.Throws<LabException>(() => Read("[]")).Message);
    }

    [Fact]
    public void Built_in_scenarios_are_valid_and_named_after_their_files()
    {
        Assert.Equal(["fairness", "mixed", "peers", "quick", "stability", "standard"], BuiltInScenarios.Names);
        Assert.All(BuiltInScenarios.Names, n => Assert.Equal(n, BuiltInScenarios.Get(n).Name));
        Assert.Contains("there are fairness, mixed, peers, quick, stability, standard", Assert.Throws<LabException>(() => BuiltInScenarios.Get("fast")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_quick_one_ends_within_a_minute()
    {
        Scenario quick = BuiltInScenarios.Get("quick");
        // 10 s for starting, checking payloads and cleaning up.
        Assert.InRange(quick.TimeLimit, 10, 54);
        // Six rounds give a real interval of 95 %. Starting, ending and asking for figures take 0.15 s a measurement, the load of a loaded probe as much again.
        Assert.InRange(quick.MinRounds, 6, quick.MaxRounds);
        double round = quick.Workloads.Sum(w => (w.Kind == WorkloadKind.RttLoaded ? 2 * w.Seconds : w.Seconds) + 0.15) * quick.Contenders.Count;
        Assert.InRange(6 * round, 1, quick.TimeLimit);
    }

    [Fact]
    public void A_command_line_changes_a_scenario()
    {
        Scenario changed = new ScenarioChanges
        {
            Contenders = ["udp", "udp:coalesce=off"],
            Workloads = ["udp-rate-1400"],
            Topology = "pair",
            Underlay = "veth",
            Mtu = 1500,
            Loss = 0,
            DelayMilliseconds = 0,
            Reorder = 0,
            Duplicate = 0,
            Time = 5,
            Rounds = 1,
            Precision = 1,
        }.Apply(Read(Valid));
        Assert.Equal("udp", changed.Baseline); // the scenario's own takes no part any more
        Assert.Equal(["udp-rate-1400"], changed.Workloads.Select(w => w.Id));
        Assert.Equal((TopologyKind.Pair, 1, 1, 5.0, 1.0), (changed.Topology.Kind, changed.MinRounds, changed.MaxRounds, changed.TimeLimit, changed.PrecisionPercent));
        Assert.Equal(new Underlay(false, 1500, 0), changed.Underlay);
        Assert.Equivalent(Read(Valid), new ScenarioChanges().Apply(Read(Valid)));
    }

    [Fact]
    public void A_wrong_change_is_refused()
    {
        Assert.StartsWith("--mtu: expected a number from 576 to 65535, not 5", Fails(new() { Mtu = 5 }), StringComparison.Ordinal);
        Assert.StartsWith("--only: expected workloads of mine: tcp-4-bidirectional, udp-rate-1400; not \"tcp-9\"", Fails(new() { Workloads = ["tcp-9"] }), StringComparison.Ordinal);
        Assert.StartsWith("--baseline: the baseline x is none of raw", Fails(new() { Baseline = "x" }), StringComparison.Ordinal);
        Assert.StartsWith("--contender: udp is there twice", Fails(new() { Contenders = ["udp", "udp"] }), StringComparison.Ordinal);

        static string Fails(ScenarioChanges changes) => Assert.Throws<LabException>(() => changes.Apply(Read(Valid))).Message;
    }

    [Fact]
    public void Ids_tell_workloads_apart_that_cannot_be_compared()
    {
        WorkloadSpec[] specs =
        [
            .. from kind in Enum.GetValues<WorkloadKind>()
               from streams in new[] { 1, 2 }
               from size in new[] { 64, 1400 }
               from both in new[] { false, true }
               select new WorkloadSpec { Kind = kind, Seconds = 1, Streams = streams, Size = size, Bidirectional = both, Rate = 1000, Flows = 4, Counts = [1, size] },
        ];
        Assert.Equal(4 + 2 + 2 + 1 + 1 + 2 + 4 + 2 + 2 + 2, specs.Select(s => s.Id).Distinct().Count());
    }
}
