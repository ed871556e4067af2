using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>
/// Two nodes send to the same one: node 2 floods, node 3 sends datagrams at a modest rate and asks for round trips. What of node 3's
/// arrives says whether one noisy peer takes the path from the others. Each flow has its own sink, so that only the path is shared.
/// </summary>
internal static class FairnessWorkload
{
    internal const int Nodes = 3;
    private const int ProbeSize = 64;

    internal static async Task<Outcome> RunAsync(TrafficEnds ends, WorkloadSpec spec)
    {
        double lead = Math.Min(0.25, spec.Seconds / 2);
        (Node noisy, Node quiet) = (ends.Senders[0], ends.Senders[1]);
        using Agents.Sink flooded = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        using Agents.Sink sink = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        using Agents.Sink echo = await ends.ListenAsync("rtt-echo").ConfigureAwait(false);
        Task<UdpSourceResult> flood = ends.UdpAsync(noisy, flooded, spec.Size, spec.Seconds + (2 * lead), null);
        await Task.Delay(TimeSpan.FromSeconds(lead), ends.Cancel).ConfigureAwait(false);
        Task<UdpSourceResult> flow = ends.UdpAsync(quiet, sink, spec.Size, spec.Seconds, spec.Rate);
        Task<RttProbeResult> probe = ends.ProbeAsync(quiet, echo, spec, ProbeSize, spec.Seconds);
        await Task.WhenAll(flood, flow, probe).ConfigureAwait(false);
        (UdpSourceResult noise, UdpSourceResult delivered) = (await flood.ConfigureAwait(false), await flow.ConfigureAwait(false));
        var values = new Dictionary<string, double>
        {
            [MeasureInfo.QuietDelivered] = 100.0 * delivered.Delivered / Math.Max(1, delivered.Sent),
            [MeasureInfo.FloodRate] = noise.DeliveredPps / 1000,
        };
        values.AddDelivery(delivered);
        values.AddRoundTrips(await probe.ConfigureAwait(false));
        return new(values, delivered.Bytes() + noise.Bytes(), delivered.Delivered + noise.Delivered, null);
    }
}
