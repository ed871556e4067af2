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

    /// <summary>Datagrams per second of the flow with a fixed rate.</summary>
    internal int Rate { get; init; }

    /// <summary>Numbered UDP flows of <see cref="WorkloadKind.Stability"/>.</summary>
    internal int Flows { get; init; }

    /// <summary>Length of the intervals of <see cref="WorkloadKind.Stability"/>.</summary>
    internal double IntervalSeconds { get; init; }

    /// <summary>Numbers of peers of <see cref="WorkloadKind.Peers"/>, ascending.</summary>
    internal IReadOnlyList<int> Counts { get; init; } = [];

    /// <summary>From one request to the next, microseconds.</summary>
    internal int IntervalMicroseconds { get; init; }

    /// <summary>Name in tables and files; it says everything that makes two results comparable except the duration.</summary>
    internal string Id => string.Create(CultureInfo.InvariantCulture, $"{KindName(Kind)}{Kind switch
    {
        WorkloadKind.Tcp => string.Create(CultureInfo.InvariantCulture, $"-{Streams}{(Bidirectional ? "-bidirectional" : "")}{Other}"),
        WorkloadKind.RttLoaded => Other,
        WorkloadKind.UdpFlood or WorkloadKind.UdpRate => string.Create(CultureInfo.InvariantCulture, $"-{Size}"),
        WorkloadKind.Mixed => string.Create(CultureInfo.InvariantCulture, $"-{Streams}-{Rate}x{Size}{Other}"),
        WorkloadKind.Peers => $"-{string.Join('-', Counts.Select(c => c.ToString(CultureInfo.InvariantCulture)))}{Other}",
        WorkloadKind.Fairness => string.Create(CultureInfo.InvariantCulture, $"-{Rate}x{Size}"),
        WorkloadKind.Stability => string.Create(CultureInfo.InvariantCulture, $"-{Streams}-{Flows}x{Rate}{Other}"),
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
        WorkloadKind.Mixed => $"At once: {Count(Streams, "TCP stream")}, {Congestion}; UDP, {Number(Rate)} datagrams of {Count(Size, "byte")} a second; round trips",
        WorkloadKind.Peers => $"{string.Join(", ", Counts.Select(Number))} peers: one TCP stream, {Congestion}; UDP flood, {Count(Size, "byte")}",
        WorkloadKind.Fairness => $"One node floods with {Count(Size, "byte")}; another one sends {Number(Rate)} datagrams a second",
        WorkloadKind.Stability => $"Long run: {Count(Streams, "TCP stream")}, {Congestion}; {Count(Flows, "numbered UDP flow")}, {Number(Rate)} datagrams a second each",
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
        WorkloadKind.Mixed => "mixed",
        WorkloadKind.Peers => "peers",
        WorkloadKind.Fairness => "fairness",
        WorkloadKind.Stability => "stability",
        _ => "connect",
    };

    /// <summary>What a kind tells, for a list.</summary>
    internal static string Meaning(WorkloadKind kind) => kind switch
    {
        WorkloadKind.Tcp => "streams at full speed, one way or both",
        WorkloadKind.UdpFlood => "what arrives while the senders send all they can",
        WorkloadKind.UdpRate => "highest rate with at most 0.1 % loss",
        WorkloadKind.Rtt => "round trips, idle",
        WorkloadKind.RttLoaded => "round trips beside one TCP stream",
        WorkloadKind.Mixed => "TCP, UDP at a fixed rate and round trips at once",
        WorkloadKind.Peers => "the same traffic with few and with many peers configured",
        WorkloadKind.Fairness => "one node floods: what another one still gets through",
        WorkloadKind.Stability => "long: throughput per interval, drift, order inside flows",
        _ => "connections per second",
    };

    private string Other => Congestion == "cubic" ? "" : "-" + Congestion;

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Count(int number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");
}
