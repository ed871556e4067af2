using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Lab;

/// <summary>Workloads of several parts and long ones, made short. What they measure is not judged here: the machine is shared.</summary>
public sealed class LongWorkloadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ff-lab-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Mixed_and_stability_measure_every_part()
    {
        JsonElement report = Run("""
            { "name": "parts", "contenders": ["kernel-vxlan", "udp"], "baseline": "kernel-vxlan", "min_rounds": 1, "max_rounds": 1,
              "workloads": [
                { "kind": "mixed", "rate": 1000, "seconds": 0.3 },
                { "kind": "stability", "seconds": 2.5, "interval": 0.25, "rate": 500, "flows": 3 }
              ] }
            """);
        foreach (JsonElement mixed in Measurements(report, "mixed-1-1000x1000"))
        {
            Assert.True(Value(mixed, "gbps") > 0);
            Assert.InRange(Value(mixed, "delivered_kpps"), 0.2, 1.5);
            Assert.True(Value(mixed, "rtt_p99_us") >= Value(mixed, "rtt_p50_us"));
            Assert.True(Value(mixed, "machine_cpu_s_per_gb") > 0);
        }
        foreach (JsonElement stability in Measurements(report, "stability-1-3x500"))
        {
            JsonElement series = stability.GetProperty("series")[0];
            double[] rates = [.. series.GetProperty("y").EnumerateArray().Select(y => y.GetDouble())];
            Assert.InRange(rates.Length, 6, 10);
            Assert.Equal(rates.Length, series.GetProperty("x").GetArrayLength());
            // Within a tolerance: a series is written with fewer digits than a value, and both may lie beside a rounding edge.
            Assert.Equal(rates.Min(), Value(stability, "slowest_interval_gbps"), tolerance: 0.002);
            Assert.Equal(0, Value(stability, "reordered_per_million"));
            Assert.Equal(0, Value(stability, "duplicated_per_million"));
            Assert.True(double.IsFinite(Value(stability, "drift_percent")));
        }
    }

    [Fact]
    public void Peers_are_added_and_taken_away_again_in_every_contender()
    {
        JsonElement report = Run("""
            { "name": "many", "contenders": ["raw", "kernel-vxlan", "udp", "vxlan", "exec:hand=ip link add {device} type vxlan id 7 local {local} remote {peer} dstport 4790 dev eth0 && exec sleep 100"],
              "min_rounds": 1, "max_rounds": 2,
              "workloads": [{ "kind": "peers", "counts": [1, 50, 5000], "seconds": 0.1 }, { "kind": "rtt", "seconds": 0.1 }] }
            """, exitCode: 1);
        JsonElement[] peers = [.. Measurements(report, "peers-1-50-5000")];
        Assert.Equal(4 * 2, peers.Length);
        foreach (JsonElement one in peers)
        {
            JsonElement series = one.GetProperty("series")[0];
            double[] counts = [.. series.GetProperty("x").EnumerateArray().Select(x => x.GetDouble())], gbps = [.. series.GetProperty("y").EnumerateArray().Select(x => x.GetDouble())];
            Assert.Equal([1, 50, 5000], counts);
            Assert.Equal(gbps[2] / gbps[0], Value(one, "peers_tcp_ratio"), 6);
        }
        // A program that the lab knows nothing of cannot be told; that is said, and its other measurements are there.
        Assert.All(report.GetProperty("failures").EnumerateArray(), f => Assert.Equal(
            ("hand", "contender hand: the lab does not know how to give it more peers"), (f.GetProperty("contender").GetString(), f.GetProperty("message").GetString())));
        Assert.Equal(2, report.GetProperty("failures").GetArrayLength());
        Assert.Equal(5 * 2, Measurements(report, "rtt").Count());
        Assert.All(Measurements(report, "rtt"), m => Assert.Equal(0, Value(m, "rtt_loss_percent")));
    }

    [Fact]
    public void Fairness_tells_what_the_quiet_node_gets()
    {
        JsonElement report = Run("""
            { "name": "fair", "topology": "star:3", "contenders": ["raw", "udp"], "min_rounds": 1, "max_rounds": 1,
              "workloads": [{ "kind": "fairness", "rate": 500, "seconds": 0.3 }] }
            """);
        Assert.All(Measurements(report, "fairness-500x64"), m =>
        {
            Assert.InRange(Value(m, "quiet_delivered_percent"), 1, 100);
            Assert.True(Value(m, "flood_kpps") > 1);
            Assert.True(Value(m, "rtt_p50_us") > 0);
        });
        // The underlay alone has no queue that a flood fills.
        Assert.InRange(Value(Measurements(report, "fairness-500x64").First(), "quiet_delivered_percent"), 90, 100);
    }

    private static IEnumerable<JsonElement> Measurements(JsonElement report, string workload) =>
        report.GetProperty("measurements").EnumerateArray().Where(m => m.GetProperty("workload").GetString() == workload);

    private static double Value(JsonElement measurement, string name) => measurement.GetProperty("values").GetProperty(name).GetDouble();

    private JsonElement Run(string scenario, int exitCode = 0)
    {
        string file = Path.Combine(_directory, "s.json"), json = Path.Combine(_directory, "r.json");
        File.WriteAllText(file, scenario);
        CommandResult run = Daemon.Command("lab", "run", "--scenario", file, "--json", json);
        Assert.True(run.ExitCode == exitCode, run.Output + run.Error);
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(json));
        return report.RootElement.Clone();
    }
}
