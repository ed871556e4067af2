using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Running;

namespace FlannelFast.Lab.Workloads;

/// <summary>What one workload found out about one contender.</summary>
/// <param name="Values">By measure.</param>
/// <param name="Bytes">Payload that arrived.</param>
/// <param name="Packets">Datagrams that arrived; 0 with TCP.</param>
/// <param name="Congestion">Congestion control as the kernel read it back; null without TCP.</param>
internal sealed record Outcome(IReadOnlyDictionary<string, double> Values, long Bytes, long Packets, string? Congestion)
{
    /// <summary>How values went over the measurement, where that is of interest.</summary>
    internal IReadOnlyList<Series> Series { get; init; } = [];

    /// <summary>What the traffic alone used, where the workload does more than traffic; null if it is all of it.</summary>
    internal MachineUsage? Used { get; init; }
}
