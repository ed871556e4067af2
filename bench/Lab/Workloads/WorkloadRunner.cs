using System.Net;
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
    private const int Port = 5001, LoadPort = 5002;
    private const long HashBytes = 4 << 20;
    private const double Mega = 1e6, Giga = 1e9;

    // Beyond the measurement itself: connecting, draining, the sink's account.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(30);

    private Node Receiver => topology.Nodes[0];

    private Node[] Senders => [.. topology.Nodes.Skip(1)];

    /// <summary>Proves that payload arrives unchanged over TCP and UDP, from every node.</summary>
    /// <returns>Bytes that arrived intact.</returns>
    /// <exception cref="LabException">They did not.</exception>
    internal async Task<long> ValidateAsync(Contender contender, CancellationToken cancel)
    {
        long bytes = 0;
        using Agents.Sink sink = await ListenAsync(contender, "hash-sink", Port, cancel).ConfigureAwait(false);
        foreach (Node sender in Senders)
        {
            foreach (string protocol in (string[])["--tcp", "--udp"])
            {
                HashSourceResult result = await Agents.RunAsync(
                    sender, s_grace, AgentJsonContext.Default.HashSourceResult, cancel,
                    "hash-source", "--to", sink.Address, "--bytes", Agents.Format(HashBytes), protocol, "--seconds", "20").ConfigureAwait(false);
                if (!result.Intact)
                    throw new LabException($"contender {contender.Name} changes payload: {result.Protocol}, {result.Bytes} bytes sent with SHA-256 {result.Sent}, received {result.Received}");
                bytes += result.Bytes;
            }
        }
        return bytes;
    }

    /// <summary>Runs a workload once.</summary>
    /// <exception cref="LabException">It gave no result.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal Task<Outcome> RunAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel) => spec.Kind switch
    {
        WorkloadKind.Tcp => TcpAsync(spec, contender, cancel),
        WorkloadKind.UdpFlood => UdpFloodAsync(spec, contender, cancel),
        WorkloadKind.UdpRate => UdpRateAsync(spec, contender, cancel),
        WorkloadKind.Rtt => RttAsync(spec, contender, cancel),
        WorkloadKind.RttLoaded => RttLoadedAsync(spec, contender, cancel),
        _ => ConnectAsync(spec, contender, cancel),
    };

    private async Task<Outcome> TcpAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        using Agents.Sink sink = await ListenAsync(contender, "tcp-sink", Port, cancel).ConfigureAwait(false);
        TcpResult[] results = await Task.WhenAll(Senders.Select(s => TcpSourceAsync(s, sink, spec, spec.Seconds, cancel))).ConfigureAwait(false);
        TcpDirection[] directions = [.. results.Select(r => r.Forward), .. results.Select(r => r.Reverse).OfType<TcpDirection>()];
        long bytes = directions.Sum(d => d.BytesReceived);
        return new(
            new Dictionary<string, double>
            {
                [MeasureInfo.Throughput] = directions.Sum(d => d.BitsPerSecond) / Giga,
                [MeasureInfo.Retransmits] = bytes > 0 ? directions.Sum(d => d.Retransmits) / (bytes / Giga) : 0,
            },
            bytes, 0, results[0].Congestion);
    }

    private async Task<Outcome> UdpFloodAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        using Agents.Sink sink = await ListenAsync(contender, "udp-sink", Port, cancel).ConfigureAwait(false);
        UdpSourceResult[] results = await UdpSourcesAsync(spec, sink, null, cancel).ConfigureAwait(false);
        return Delivered(results, spec.Size, new() { [MeasureInfo.DeliveredRate] = results.Sum(r => r.DeliveredPps) / 1000 });
    }

    private async Task<Outcome> UdpRateAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        // Everything that arrived counts for the CPU figures, which are over the whole search.
        var all = new List<UdpSourceResult>();
        using Agents.Sink sink = await ListenAsync(contender, "udp-sink", Port, cancel).ConfigureAwait(false);
        // Nothing above what a flood sends can be asked for; far below what arrives of it nothing needs to be searched.
        UdpSourceResult[] flood = await MeasureAsync(null).ConfigureAwait(false);
        long highest = (long)flood.Sum(r => r.SentPps);
        var search = new RateSearch
        {
            Highest = highest,
            Lowest = Math.Clamp((long)(flood.Sum(r => r.DeliveredPps) / 20), 1, highest),
            // The rounds of the run repeat the whole search.
            Confirmations = 1,
            MaxTrials = 16,
        };
        RateSearchResult found = await Task.Run(() => search.Run(rate => TrialAsync(rate).GetAwaiter().GetResult()), cancel).ConfigureAwait(false);
        if (found.Rate == 0)
            throw new LabException($"even {search.Lowest} packets per second lose more than {search.MaxLoss:P1}");
        Outcome outcome = Delivered([.. all], spec.Size, new() { [MeasureInfo.LosslessRate] = found.Rate / 1000.0 });
        // Loss over a search says how often it went too far, not how good the path is.
        return outcome with { Values = outcome.Values.Where(v => v.Key != MeasureInfo.Loss).ToDictionary() };

        async Task<double> TrialAsync(long rate)
        {
            UdpSourceResult[] results = await MeasureAsync(rate).ConfigureAwait(false);
            // A sender that fell behind has not tried the rate.
            bool fellBehind = results.Sum(r => r.SentPps) < rate * (1 - search.Resolution);
            return fellBehind ? 1 : results.Sum(r => r.Lost) / Math.Max(1.0, results.Sum(r => r.Sent));
        }

        async Task<UdpSourceResult[]> MeasureAsync(long? rate)
        {
            UdpSourceResult[] results = await UdpSourcesAsync(spec, sink, rate, cancel).ConfigureAwait(false);
            all.AddRange(results);
            return results;
        }
    }

    private async Task<Outcome> RttAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        using Agents.Sink echo = await ListenAsync(contender, "rtt-echo", Port, cancel).ConfigureAwait(false);
        RttProbeResult result = await ProbeAsync(spec, echo, spec.Seconds, cancel).ConfigureAwait(false);
        return new(RoundTrips(result), 0, 0, null);
    }

    private async Task<Outcome> RttLoadedAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        // The load begins before the first request and ends after the last: a probe beside an idle path is another workload.
        const double LeadSeconds = 0.25;
        using Agents.Sink sink = await ListenAsync(contender, "tcp-sink", LoadPort, cancel).ConfigureAwait(false);
        using Agents.Sink echo = await ListenAsync(contender, "rtt-echo", Port, cancel).ConfigureAwait(false);
        Task<TcpResult> load = TcpSourceAsync(Senders[0], sink, spec, spec.Seconds + (2 * LeadSeconds), cancel);
        await Task.Delay(TimeSpan.FromSeconds(LeadSeconds), cancel).ConfigureAwait(false);
        Task<RttProbeResult> probe = ProbeAsync(spec, echo, spec.Seconds, cancel);
        await Task.WhenAll(load, probe).ConfigureAwait(false);
        TcpResult loaded = await load.ConfigureAwait(false);
        Dictionary<string, double> values = RoundTrips(await probe.ConfigureAwait(false));
        values[MeasureInfo.LoadThroughput] = loaded.Forward.BitsPerSecond / Giga;
        return new(values, loaded.Forward.BytesReceived, 0, loaded.Congestion);
    }

    private async Task<Outcome> ConnectAsync(WorkloadSpec spec, Contender contender, CancellationToken cancel)
    {
        using Agents.Sink sink = await ListenAsync(contender, "connect-sink", Port, cancel).ConfigureAwait(false);
        ConnectSourceResult result = await Agents.RunAsync(
            Senders[0], Limit(spec.Seconds), AgentJsonContext.Default.ConnectSourceResult, cancel,
            "connect-source", "--to", sink.Address, "--streams", Agents.Format(spec.Streams), "--seconds", Agents.Format(spec.Seconds)).ConfigureAwait(false);
        return new(
            new Dictionary<string, double>
            {
                [MeasureInfo.ConnectRate] = result.ConnectionsPerSecond,
                [MeasureInfo.Loss] = 100.0 * result.Failed / (result.Failed + result.Connections),
            },
            0, 0, null);
    }

    private static Task<TcpResult> TcpSourceAsync(Node sender, Agents.Sink sink, WorkloadSpec spec, double seconds, CancellationToken cancel)
    {
        string[] arguments =
        [
            "tcp-source", "--to", sink.Address, "--streams", Agents.Format(spec.Streams), "--seconds", Agents.Format(seconds),
            "--congestion", spec.Congestion, .. spec.Bidirectional ? (string[])["--bidirectional"] : [],
        ];
        return Agents.RunAsync(sender, Limit(seconds), AgentJsonContext.Default.TcpResult, cancel, arguments);
    }

    // All senders together send the rate; null floods.
    private Task<UdpSourceResult[]> UdpSourcesAsync(WorkloadSpec spec, Agents.Sink sink, long? all, CancellationToken cancel)
    {
        Node[] senders = Senders;
        string[] rate = all is { } pps ? ["--rate", Agents.Format(Math.Max(1, pps / senders.Length))] : ["--flood"];
        return Task.WhenAll(senders.Select(s => Agents.RunAsync(
            s, Limit(spec.Seconds), AgentJsonContext.Default.UdpSourceResult, cancel,
            ["udp-source", "--to", sink.Address, "--size", Agents.Format(spec.Size), "--seconds", Agents.Format(spec.Seconds), .. rate])));
    }

    private Task<RttProbeResult> ProbeAsync(WorkloadSpec spec, Agents.Sink echo, double seconds, CancellationToken cancel) => Agents.RunAsync(
        Senders[0], Limit(seconds), AgentJsonContext.Default.RttProbeResult, cancel,
        "rtt-probe", "--to", echo.Address, "--seconds", Agents.Format(seconds),
        "--interval-us", Agents.Format(spec.IntervalMicroseconds), "--size", Agents.Format(spec.Size));

    private Task<Agents.Sink> ListenAsync(Contender contender, string role, int port, CancellationToken cancel)
    {
        IPAddress address = contender.Address(Receiver);
        return Agents.ListenAsync(Receiver, role, address, port, cancel);
    }

    private static TimeSpan Limit(double seconds) => TimeSpan.FromSeconds(seconds) + s_grace;

    private static Outcome Delivered(UdpSourceResult[] results, int size, Dictionary<string, double> values)
    {
        long delivered = results.Sum(r => r.Delivered), sent = results.Sum(r => r.Sent);
        values[MeasureInfo.Loss] = 100.0 * results.Sum(r => r.Lost) / Math.Max(1, sent);
        values[MeasureInfo.Reordered] = results.Sum(r => r.Reordered) / Math.Max(1, delivered / Mega);
        return new(values, delivered * size, delivered, null);
    }

    private static Dictionary<string, double> RoundTrips(RttProbeResult result) => new()
    {
        [MeasureInfo.P50] = result.Rtt.P50Ns / 1000.0,
        [MeasureInfo.P90] = result.Rtt.P90Ns / 1000.0,
        [MeasureInfo.P99] = result.Rtt.P99Ns / 1000.0,
        [MeasureInfo.P999] = result.Rtt.P999Ns / 1000.0,
        [MeasureInfo.Loss] = 100.0 * result.Lost / Math.Max(1, result.Sent),
    };
}
