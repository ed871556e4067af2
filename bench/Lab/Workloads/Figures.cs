using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>Turns what agents print into the values of measurements.</summary>
internal static class Figures
{
    private const double Million = 1e6, Giga = 1e9;

    internal static void AddTcp(this Dictionary<string, double> values, params IReadOnlyList<TcpResult> results)
    {
        TcpDirection[] directions = [.. results.Select(r => r.Forward), .. results.Select(r => r.Reverse).OfType<TcpDirection>()];
        long bytes = directions.Sum(d => d.BytesReceived);
        values[MeasureInfo.Throughput] = directions.Sum(d => d.BitsPerSecond) / Giga;
        values[MeasureInfo.Retransmits] = bytes > 0 ? directions.Sum(d => d.Retransmits) / (bytes / Giga) : 0;
    }

    /// <summary>Loss, order and copies. Each source is one flow and has its own sequence numbers.</summary>
    internal static void AddDelivery(this Dictionary<string, double> values, params IReadOnlyList<UdpSourceResult> results)
    {
        double delivered = results.Sum(r => r.Delivered), sent = results.Sum(r => r.Sent);
        values[MeasureInfo.Loss] = 100 * results.Sum(r => r.Lost) / Math.Max(1, sent);
        values[MeasureInfo.Reordered] = Million * results.Sum(r => r.Reordered) / Math.Max(1, delivered);
        values[MeasureInfo.Duplicated] = Million * results.Sum(r => r.Duplicate) / Math.Max(1, delivered);
    }

    internal static void AddRoundTrips(this Dictionary<string, double> values, RttProbeResult result)
    {
        values[MeasureInfo.P50] = result.Rtt.P50Ns / 1000.0;
        values[MeasureInfo.P90] = result.Rtt.P90Ns / 1000.0;
        values[MeasureInfo.P99] = result.Rtt.P99Ns / 1000.0;
        values[MeasureInfo.P999] = result.Rtt.P999Ns / 1000.0;
        values[MeasureInfo.ProbeLoss] = 100.0 * result.Lost / Math.Max(1, result.Sent);
    }

    internal static long Bytes(this TcpResult result) => result.Forward.BytesReceived + (result.Reverse?.BytesReceived ?? 0);

    internal static long Bytes(this UdpSourceResult result) => result.Delivered * result.Size;

    /// <summary>Datagrams that crossed, requests and answers.</summary>
    internal static long Packets(this RttProbeResult result) => 2 * (result.Sent - result.Lost);
}
