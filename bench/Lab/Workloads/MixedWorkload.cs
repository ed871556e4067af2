using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>Bulk TCP, UDP at a fixed rate and a round-trip probe at once, each with its own result: what a node carries in real life.</summary>
internal static class MixedWorkload
{
    // As a voice or telemetry flow has; the probe must not add to the load.
    private const int ProbeSize = 64;

    internal static async Task<Outcome> RunAsync(TrafficEnds ends, WorkloadSpec spec)
    {
        double lead = Math.Min(0.25, spec.Seconds / 2);
        using Agents.Sink bulk = await ends.ListenAsync("tcp-sink").ConfigureAwait(false);
        using Agents.Sink datagrams = await ends.ListenAsync("udp-sink").ConfigureAwait(false);
        using Agents.Sink echo = await ends.ListenAsync("rtt-echo").ConfigureAwait(false);
        Topologies.Node sender = ends.Senders[0];
        // The bulk begins before the others and ends after them, so that these always stand beside it.
        Task<TcpResult> tcp = ends.TcpAsync(sender, bulk, spec, spec.Seconds + (2 * lead));
        await Task.Delay(TimeSpan.FromSeconds(lead), ends.Cancel).ConfigureAwait(false);
        Task<UdpSourceResult> udp = ends.UdpAsync(sender, datagrams, spec.Size, spec.Seconds, spec.Rate);
        Task<RttProbeResult> probe = ends.ProbeAsync(sender, echo, spec, ProbeSize, spec.Seconds);
        await Task.WhenAll(tcp, udp, probe).ConfigureAwait(false);
        (TcpResult carried, UdpSourceResult delivered) = (await tcp.ConfigureAwait(false), await udp.ConfigureAwait(false));
        var values = new Dictionary<string, double> { [MeasureInfo.DeliveredRate] = delivered.DeliveredPps / 1000 };
        values.AddTcp(carried);
        values.AddDelivery(delivered);
        values.AddRoundTrips(await probe.ConfigureAwait(false));
        // Nearly all of the bytes are TCP's: processor time per datagram would be time of something else.
        return new(values, carried.Bytes() + delivered.Bytes(), 0, carried.Congestion);
    }
}
