using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>
/// Runs workloads from all other nodes to node 1. Round trips and connections are measured from node 2 alone, because several
/// probes would measure each other.
/// </summary>
internal sealed class WorkloadRunner(Topology topology)
{
    private const long HashBytes = 4 << 20;

    internal Topology Topology => topology;

    /// <summary>Proves that payload arrives unchanged over TCP and UDP, also where the kernel cuts the datagrams (UDP_SEGMENT, as QUIC has it), from every node.</summary>
    /// <returns>Bytes that arrived intact.</returns>
    /// <exception cref="LabException">They did not.</exception>
    internal async Task<long> ValidateAsync(Contender contender, CancellationToken cancel)
    {
        long bytes = 0;
        var ends = new TrafficEnds(topology, contender, cancel);
        using Agents.Sink sink = await ends.ListenAsync("hash-sink").ConfigureAwait(false);
        foreach (Node sender in ends.Senders)
        {
            foreach (string[] protocol in (string[][])[["--tcp"], ["--udp"], ["--udp", "--segment"]])
            {
                HashSourceResult result = await Agents.RunAsync(
                    sender, TrafficEnds.Grace, AgentJsonContext.Default.HashSourceResult, cancel,
                    ["hash-source", "--to", sink.Address, "--bytes", Agents.Format(HashBytes), "--seconds", "20", .. protocol]).ConfigureAwait(false);
                if (!result.Intact)
                    throw new LabException($"contender {contender.Name} changes payload: {result.Protocol}, {result.Bytes} bytes sent with SHA-256 {result.Sent}, received {result.Received}");
                bytes += result.Bytes;
            }
        }
        return bytes;
    }

    /// <summary>Runs a workload once.</summary>
    /// <param name="spec">The workload.</param>
    /// <param name="contender">What carries it.</param>
    /// <param name="round">Which round it is, from 1.</param>
    /// <param name="doing">Told how far a long one is.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="LabException">It gave no result.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal Task<Outcome> RunAsync(WorkloadSpec spec, Contender contender, int round, Action<string> doing, CancellationToken cancel)
    {
        var ends = new TrafficEnds(topology, contender, cancel);
        return spec.Kind switch
        {
            WorkloadKind.Tcp => TcpAsync(spec, ends),
            WorkloadKind.UdpFlood => UdpFloodAsync(spec, ends),
            WorkloadKind.UdpRate => UdpRateWorkload.RunAsync(ends, spec),
            WorkloadKind.Rtt => RttAsync(spec, ends),
            WorkloadKind.RttLoaded => RttLoadedAsync(spec, ends),
            WorkloadKind.Connect => ConnectAsync(spec, ends),
            WorkloadKind.Mixed => MixedWorkload.RunAsync(ends, spec),
            WorkloadKind.Peers => PeersWorkload.RunAsync(ends, spec, isReversed: round % 2 == 0, doing),
            WorkloadKind.Fairness => FairnessWorkload.RunAsync(ends, spec),
            _ => StabilityWorkload.RunAsync(ends, spec, doing),
        };
    }

    private static async Task<Outcome> TcpAsync(WorkloadSpec spec, TrafficEnds ends)
    {
        using Agents.Sink sink = await ends.ListenAsync("tcp-sink").ConfigureAwait(false);
        TcpResult[] results = await Task.WhenAll(ends.Senders.Select(s => ends.TcpAsync(s, sink, spec, spec.Seconds))).ConfigureAwait(false);
        var values = new Dictionary<string, double>();
        values.AddTcp(results);
        return new(values, results.Sum(r => r.Bytes()), 0, results[0].Congestion);
    }

    private static async Task<Outcome> UdpFloodAsync(WorkloadSpec spec, TrafficEnds ends)
    {
        using Agents.Sink sink = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        UdpSourceResult[] results = await Task.WhenAll(ends.Senders.Select(s => ends.UdpAsync(s, sink, spec.Size, spec.Seconds, null))).ConfigureAwait(false);
        var values = new Dictionary<string, double> { [MeasureInfo.DeliveredRate] = results.Sum(r => r.DeliveredPps) / 1000 };
        values.AddDelivery(results);
        return new(values, results.Sum(r => r.Bytes()), results.Sum(r => r.Delivered), null);
    }

    private static async Task<Outcome> RttAsync(WorkloadSpec spec, TrafficEnds ends)
    {
        using Agents.Sink echo = await ends.ListenAsync("rtt-echo").ConfigureAwait(false);
        RttProbeResult result = await ends.ProbeAsync(ends.Senders[0], echo, spec, spec.Size, spec.Seconds).ConfigureAwait(false);
        var values = new Dictionary<string, double>();
        values.AddRoundTrips(result);
        return new(values, result.Packets() * spec.Size, result.Packets(), null);
    }

    private static async Task<Outcome> RttLoadedAsync(WorkloadSpec spec, TrafficEnds ends)
    {
        // The load begins before the first request and ends after the last: a probe beside an idle path is another workload.
        double lead = Math.Min(0.25, spec.Seconds / 2);
        using Agents.Sink sink = await ends.ListenAsync("tcp-sink").ConfigureAwait(false);
        using Agents.Sink echo = await ends.ListenAsync("rtt-echo").ConfigureAwait(false);
        Task<TcpResult> load = ends.TcpAsync(ends.Senders[0], sink, spec, spec.Seconds + (2 * lead));
        await Task.Delay(TimeSpan.FromSeconds(lead), ends.Cancel).ConfigureAwait(false);
        Task<RttProbeResult> probe = ends.ProbeAsync(ends.Senders[0], echo, spec, spec.Size, spec.Seconds);
        await Task.WhenAll(load, probe).ConfigureAwait(false);
        TcpResult loaded = await load.ConfigureAwait(false);
        var values = new Dictionary<string, double> { [MeasureInfo.LoadThroughput] = loaded.Forward.BitsPerSecond / 1e9 };
        values.AddRoundTrips(await probe.ConfigureAwait(false));
        return new(values, loaded.Bytes(), 0, loaded.Congestion);
    }

    private static async Task<Outcome> ConnectAsync(WorkloadSpec spec, TrafficEnds ends)
    {
        using Agents.Sink sink = await ends.ListenAsync("connect-sink").ConfigureAwait(false);
        ConnectSourceResult result = await ends.ConnectAsync(ends.Senders[0], sink, spec).ConfigureAwait(false);
        return new(
            new Dictionary<string, double>
            {
                [MeasureInfo.ConnectRate] = result.ConnectionsPerSecond,
                [MeasureInfo.FailedConnections] = 100.0 * result.Failed / (result.Failed + result.Connections),
            },
            0, 0, null);
    }
}
