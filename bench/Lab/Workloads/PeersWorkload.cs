using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Running;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>
/// The same traffic while the contender knows more and more peers: what a packet costs must not grow with the table. The traffic goes
/// to one peer all the time; the others are silent.
/// </summary>
internal static class PeersWorkload
{
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(0.5);

    /// <param name="ends">The two ends.</param>
    /// <param name="spec">The workload.</param>
    /// <param name="isReversed">Begins with the most peers; every other round does, so that warming up favours neither end.</param>
    /// <param name="doing">Told what goes on.</param>
    internal static async Task<Outcome> RunAsync(TrafficEnds ends, WorkloadSpec spec, bool isReversed, Action<string> doing)
    {
        var streams = new SortedDictionary<int, TcpResult>();
        var floods = new SortedDictionary<int, UdpSourceResult>();
        MachineUsage used = default;
        using Agents.Sink bulk = await ends.ListenAsync("tcp-sink").ConfigureAwait(false);
        using Agents.Sink datagrams = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        try
        {
            foreach (int count in isReversed ? spec.Counts.Reverse() : spec.Counts)
            {
                doing($"{count} peers");
                await ends.Contender.SetPeersAsync(count, ends.Cancel).ConfigureAwait(false);
                // What the kernel and the daemon put off (memory freed after a grace period, a collection) is not the traffic's either.
                await Task.Delay(s_settle, ends.Cancel).ConfigureAwait(false);
                // Changing the table costs processor time that is none of the traffic's.
                MachineUsage before = MachineUsage.Read(ends.Contender.Daemons);
                streams[count] = await ends.TcpAsync(ends.Senders[0], bulk, spec, spec.Seconds).ConfigureAwait(false);
                used += MachineUsage.Read(ends.Contender.Daemons) - before;
                floods[count] = await ends.UdpAsync(ends.Senders[0], datagrams, spec.Size, spec.Seconds, null).ConfigureAwait(false);
            }
        }
        finally
        {
            // A later workload must not meet 100,000 routes; a run that is being stopped has none.
            if (!ends.Cancel.IsCancellationRequested)
                await ends.Contender.SetPeersAsync(ends.Contender.Spec.Peers ?? 1, CancellationToken.None).ConfigureAwait(false);
        }
        double[] gbps = [.. streams.Values.Select(r => Math.Round(r.Forward.BitsPerSecond / 1e9, 4))];
        double[] kpps = [.. floods.Values.Select(r => Math.Round(r.DeliveredPps / 1000, 2))], counts = [.. streams.Keys.Select(k => (double)k)];
        var values = new Dictionary<string, double>
        {
            [MeasureInfo.PeersTcp] = gbps[^1] / gbps[0],
            [MeasureInfo.PeersUdp] = kpps[^1] / kpps[0],
        };
        return new(values, streams.Values.Sum(r => r.Bytes()), 0, streams.Values.First().Congestion)
        {
            Series = [new("throughput", "Gb/s", "peers", counts, gbps), new("delivered under flood", "kpps", "peers", counts, kpps)],
            Used = used,
        };
    }
}
