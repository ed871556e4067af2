using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Traffic;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Running;

/// <summary>Measures the relay of an impaired underlay by the lab's own means: whether the delay is there, and what the relay carries at most.</summary>
internal static class RelayCheck
{
    private const double Seconds = 0.5;
    private const int SmallSize = 64;

    // IPv4 and UDP.
    private const int Headers = 28;

    /// <exception cref="LabException">The delay is less than what was asked for.</exception>
    internal static async Task<RelayFacts> RunAsync(Topology topology, ILabProgress progress, CancellationToken cancel)
    {
        progress.Doing("measuring the relay");
        using var raw = new RawContender(ContenderSpec.Parse("relay", "raw"), new(0, isWide: false));
        if (topology.Spec.Kind == TopologyKind.Pods) topology = topology.WithoutPods();
        var ends = new TrafficEnds(topology, raw, cancel);
        using Agents.Sink echo = await ends.ListenAsync("rtt-echo").ConfigureAwait(false);
        using Agents.Sink sink = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        RttProbeResult probe = await Agents.RunAsync(
            ends.Senders[0], TrafficEnds.Grace, AgentJsonContext.Default.RttProbeResult, cancel,
            "rtt-probe", "--to", echo.Address, "--seconds", Agents.Format(Seconds), "--interval-us", "1000").ConfigureAwait(false);
        int largest = Math.Min(topology.Underlay.Mtu - Headers, 9000);
        UdpSourceResult large = await ends.UdpAsync(ends.Senders[0], sink, largest, Seconds, null).ConfigureAwait(false);
        UdpSourceResult small = await ends.UdpAsync(ends.Senders[0], sink, SmallSize, Seconds, null).ConfigureAwait(false);
        // Frames that skip the delay must not hide it: with half of them reordered a quarter of the round trips still takes all of it.
        double trip = (topology.Underlay.ReorderPercent > 0 ? probe.Rtt.P90Ns : probe.Rtt.P50Ns) / 1e6;
        var facts = new RelayFacts(
            Math.Round(trip, 3), Math.Round(large.DeliveredBitsPerSecond / 1e9, 3), Math.Round(small.DeliveredPps / 1000, 1), null);
        double asked = 2 * topology.Underlay.DelayMilliseconds;
        if (trip < asked) throw new LabException(FormattableString.Invariant($"the relay of the underlay does not keep its delay: round trip {trip} ms instead of {asked} ms"));
        progress.Notice(FormattableString.Invariant(
            $"relay of the underlay: round trip {facts.RoundTripMs} ms (asked for {asked}), carries at most {facts.Gbps} Gb/s and {facts.Kpps} kpps: what comes near that measures the relay"));
        return facts;
    }
}
