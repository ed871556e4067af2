using System.Net;
using FlannelFast.Lab.Contenders;
using FlannelFast.Lab.Topologies;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Workloads;

/// <summary>Runs the two ends of traffic through one contender: sinks on node 1, sources on the others.</summary>
internal sealed class TrafficEnds(Topology topology, Contender contender, CancellationToken cancel)
{
    // Beyond the measurement itself: connecting, draining, the sink's account.
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    // Sinks of one workload listen beside each other.
    private int _port = 5001;

    internal Contender Contender => contender;

    internal CancellationToken Cancel => cancel;

    internal Node Receiver => topology.Nodes[0];

    internal Node[] Senders => [.. topology.Nodes.Skip(1)];

    internal Task<Agents.Sink> ListenAsync(string role) => ListenAsync(role, null);

    internal Task<Agents.Sink> ListenAsync(string role, Action<string>? onLine, params string[] flags) =>
        Agents.ListenAsync(Receiver, role, new IPEndPoint(contender.Address(Receiver), _port++), onLine, cancel, flags);

    internal Task<TcpResult> TcpAsync(Node sender, Agents.Sink sink, WorkloadSpec spec, double seconds)
    {
        string[] arguments =
        [
            "tcp-source", "--to", sink.Address, "--streams", Agents.Format(spec.Streams), "--seconds", Agents.Format(seconds),
            "--congestion", spec.Congestion, .. spec.Bidirectional ? (string[])["--bidirectional"] : [],
        ];
        return Agents.RunAsync(sender, Limit(seconds), AgentJsonContext.Default.TcpResult, cancel, arguments);
    }

    /// <param name="sender">Where from.</param>
    /// <param name="sink">Where to.</param>
    /// <param name="size">Payload, bytes.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="rate">Datagrams per second; null floods.</param>
    internal Task<UdpSourceResult> UdpAsync(Node sender, Agents.Sink sink, int size, double seconds, long? rate)
    {
        string[] speed = rate is { } pps ? ["--rate", Agents.Format(pps)] : ["--flood"];
        return Agents.RunAsync(
            sender, Limit(seconds), AgentJsonContext.Default.UdpSourceResult, cancel,
            ["udp-source", "--to", sink.Address, "--size", Agents.Format(size), "--seconds", Agents.Format(seconds), .. speed]);
    }

    internal Task<RttProbeResult> ProbeAsync(Node sender, Agents.Sink echo, WorkloadSpec spec, int size, double seconds) => Agents.RunAsync(
        sender, Limit(seconds), AgentJsonContext.Default.RttProbeResult, cancel,
        "rtt-probe", "--to", echo.Address, "--seconds", Agents.Format(seconds),
        "--interval-us", Agents.Format(spec.IntervalMicroseconds), "--size", Agents.Format(size));

    internal Task<ConnectSourceResult> ConnectAsync(Node sender, Agents.Sink sink, WorkloadSpec spec) => Agents.RunAsync(
        sender, Limit(spec.Seconds), AgentJsonContext.Default.ConnectSourceResult, cancel,
        "connect-source", "--to", sink.Address, "--streams", Agents.Format(spec.Streams), "--seconds", Agents.Format(spec.Seconds));

    private static TimeSpan Limit(double seconds) => TimeSpan.FromSeconds(seconds) + Grace;
}
