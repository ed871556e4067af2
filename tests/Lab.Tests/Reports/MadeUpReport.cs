using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Tests.Reports;

/// <summary>Reports with figures that are not measured but chosen.</summary>
internal static class MadeUpReport
{
    /// <summary>
    /// Five rounds of TCP and round trips on the kernel's VXLAN (10 Gb/s, 20 µs, times <paramref name="machine"/>) and on udp,
    /// which is <paramref name="udp"/> times as fast. Odd rounds are a little slower for both.
    /// </summary>
    public static LabReport Create(double udp, double machine = 1, double noise = 0.01, int rounds = 5)
    {
        var measurements = new List<Measurement>();
        for (int round = 1; round <= rounds; round++)
        {
            double mood = machine * (1 - (round % 2 * noise) - (round * noise / 10));
            double own = 1 + ((round % 3) * noise / 5);
            foreach ((string contender, double factor) in new[] { ("kernel-vxlan", 1.0), ("udp", udp * own) })
            {
                measurements.Add(One("tcp-1", contender, round, new() { [MeasureInfo.Throughput] = 10 * mood * factor, [MeasureInfo.MachineCpuPerGb] = 0.8 / (mood * factor) }, "cubic"));
                measurements.Add(One("rtt", contender, round, new() { [MeasureInfo.P50] = 20 / (mood * factor), [MeasureInfo.Loss] = 0 }, null));
            }
        }
        return new()
        {
            Date = new(2026, 11, 21, 7, 30, 0, TimeSpan.Zero),
            DurationSeconds = 12.5,
            Program = new("0.1.0", "0123456789abcdef", "/usr/bin/flannelfast"),
            Machine = new("6.18.0", "Made-up <CPU>", 2, 4096, "x64", "bbr", 0.25),
            Scenario = new("made-up", "pair", "veth", 1500, 0, "kernel-vxlan", 5),
            Contenders = [new("kernel-vxlan", null, null, 8 << 20), new("udp", null, null, 8 << 20)],
            Workloads = [new("tcp-1", "TCP, 1 stream, cubic", 2, true), new("rtt", "Round trip, idle", 2, false)],
            Summaries = Summarizer.Summarize(measurements, "kernel-vxlan"),
            Measurements = measurements,
            Failures = [],
        };
    }

    /// <summary>Profiles of TCP, as if they had been written to a directory.</summary>
    public static IReadOnlyList<ProfileFacts> Profiles(string directory) =>
    [
        new("tcp-1", "kernel-vxlan", $"{directory}/tcp-1.kernel-vxlan.svg", 8000, 1.5, 70.25, 8.25, 20, [new("tcp-sink", 40, 38.5), new("swapper", 12, 12)], []),
        new("tcp-1", "udp", $"{directory}/tcp-1.udp#<1>.svg", 7996, 12.25, 72, 10, 5.75, [new("daemons", 54, 41.5), new("tcp-sink", 20, 19)], [new("writev", 17.7), new("sendmmsg", 12.9)]),
    ];

    private static Measurement One(string workload, string contender, int round, Dictionary<string, double> values, string? congestion) => new()
    {
        Workload = workload,
        Contender = contender,
        Round = round,
        AtSeconds = round,
        DurationSeconds = 1,
        Values = values.ToDictionary(v => v.Key, v => Math.Round(v.Value, 4)),
        Bytes = 1_000_000_000,
        Packets = 0,
        DaemonCpuSeconds = contender == "udp" ? 0.5 : 0,
        MachineCpuSeconds = 0.8,
        DaemonContextSwitches = contender == "udp" ? 1000 : 0,
        MachineContextSwitches = 2000,
        Drops = contender == "udp" && workload == "tcp-1" ? new Dictionary<string, long> { ["egress.no_route"] = round } : new Dictionary<string, long>(),
        CoreCopyGbPerSecond = 8 - round,
        Congestion = congestion,
    };
}
