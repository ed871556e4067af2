using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>
/// The same traffic for long: TCP at full speed, cut into intervals, and beside it numbered UDP flows that prove whether each flow keeps its
/// order. Tells drift, the worst interval, and what the daemons' memory grew by.
/// </summary>
internal static class StabilityWorkload
{
    private const double Giga = 1e9;

    /// <param name="ends">The two ends.</param>
    /// <param name="spec">The workload.</param>
    /// <param name="doing">Told after each interval how far it is.</param>
    internal static async Task<Outcome> RunAsync(TrafficEnds ends, WorkloadSpec spec, Action<string> doing)
    {
        var intervals = new List<(long Nanoseconds, long Bytes)>();
        using Agents.Sink bulk = await ends.ListenAsync("tcp-sink", OnLine, "--every", Agents.Format(spec.IntervalSeconds)).ConfigureAwait(false);
        using Agents.Sink datagrams = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        long memory = ends.Contender.Daemons.Sum(ProcessTable.ResidentBytes);
        Task<TcpResult> tcp = ends.TcpAsync(ends.Senders[0], bulk, spec, spec.Seconds);
        // A process and so a port for each flow: a data plane with several queues may spread flows, but not one flow.
        Task<UdpSourceResult>[] flows = [.. Enumerable.Range(0, spec.Flows).Select(_ => ends.UdpAsync(ends.Senders[0], datagrams, spec.Size, spec.Seconds, spec.Rate))];
        await Task.WhenAll([tcp, .. flows]).ConfigureAwait(false);
        long growth = ends.Contender.Daemons.Sum(ProcessTable.ResidentBytes) - memory;
        TcpResult carried = await tcp.ConfigureAwait(false);
        UdpSourceResult[] delivered = await Task.WhenAll(flows).ConfigureAwait(false);

        double[] rates;
        lock (intervals) rates = Trend.WithoutEnds([.. intervals.Select(i => i.Bytes * 8 / (double)i.Nanoseconds)]);
        if (rates.Length < 2) throw new LabException($"{spec.Id}: expected at least two whole intervals of {spec.IntervalSeconds} s, not {rates.Length}");
        double[] times = [.. Enumerable.Range(0, rates.Length).Select(i => (i + 0.5) * spec.IntervalSeconds)];
        var values = new Dictionary<string, double>
        {
            [MeasureInfo.Drift] = 100 * Trend.Drift(times, rates),
            [MeasureInfo.SlowestInterval] = rates.Min(),
        };
        if (ends.Contender.Daemons.Count > 0) values[MeasureInfo.MemoryGrowth] = growth / 1e6;
        values.AddTcp(carried);
        values.AddDelivery(delivered);
        return new(values, carried.Bytes() + delivered.Sum(d => d.Bytes()), 0, carried.Congestion)
        {
            Series = [new("throughput", "Gb/s", "seconds", times, [.. rates.Select(r => Math.Round(r, 4))])],
        };

        void OnLine(string line)
        {
            if (IntervalReport.Parse(line) is not { } interval) return;
            lock (intervals) intervals.Add(interval);
            doing($"{intervals.Count * spec.IntervalSeconds:0} of {spec.Seconds:0} s, {interval.Bytes * 8 / (double)interval.Nanoseconds:0.00} Gb/s");
        }
    }
}
