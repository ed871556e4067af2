using System.Globalization;

namespace FlannelFast.Lab.Workloads;

/// <summary>One entry of a scenario's list of workloads.</summary>
internal sealed record WorkloadSpec
{
    internal required WorkloadKind Kind { get; init; }

    /// <summary>How long one measurement takes; with <see cref="WorkloadKind.UdpRate"/> each step of the search.</summary>
    internal required double Seconds { get; init; }

    /// <summary>TCP streams, or connections at a time.</summary>
    internal int Streams { get; init; } = 1;

    /// <summary>TCP in both directions at once.</summary>
    internal bool Bidirectional { get; init; }

    /// <summary>UDP payload, bytes.</summary>
    internal int Size { get; init; }

    /// <summary>Congestion control of TCP.</summary>
    internal string Congestion { get; init; } = "cubic";

    /// <summary>From one request to the next, microseconds.</summary>
    internal int IntervalMicroseconds { get; init; }

    /// <summary>Name in tables and files; it says everything that makes two results comparable except the duration.</summary>
    internal string Id => string.Create(CultureInfo.InvariantCulture, $"{KindName(Kind)}{Kind switch
    {
        WorkloadKind.Tcp => string.Create(CultureInfo.InvariantCulture, $"-{Streams}{(Bidirectional ? "-bidirectional" : "")}{Other}"),
        WorkloadKind.RttLoaded => Other,
        WorkloadKind.UdpFlood or WorkloadKind.UdpRate => string.Create(CultureInfo.InvariantCulture, $"-{Size}"),
        WorkloadKind.Connect when Streams > 1 => string.Create(CultureInfo.InvariantCulture, $"-{Streams}"),
        _ => "",
    }}");

    /// <summary>One line for people.</summary>
    internal string Title => Kind switch
    {
        WorkloadKind.Tcp => $"TCP, {Count(Streams, "stream")}{(Bidirectional ? " each way" : "")}, {Congestion}",
        WorkloadKind.UdpFlood => $"UDP flood, {Count(Size, "byte")}: what arrives",
        WorkloadKind.UdpRate => $"UDP, {Count(Size, "byte")}: highest rate with at most 0.1 % loss",
        WorkloadKind.Rtt => "Round trip, idle",
        WorkloadKind.RttLoaded => $"Round trip beside one TCP stream, {Congestion}",
        _ => $"TCP connections, {Streams.ToString(CultureInfo.InvariantCulture)} at a time",
    };

    /// <summary>The kind's name in scenario files.</summary>
    internal static string KindName(WorkloadKind kind) => kind switch
    {
        WorkloadKind.Tcp => "tcp",
        WorkloadKind.UdpFlood => "udp-flood",
        WorkloadKind.UdpRate => "udp-rate",
        WorkloadKind.Rtt => "rtt",
        WorkloadKind.RttLoaded => "rtt-loaded",
        _ => "connect",
    };

    private string Other => Congestion == "cubic" ? "" : "-" + Congestion;

    private static string Count(int number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");
}
