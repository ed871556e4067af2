using System.Net;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// tcp-source: streams at full speed for a time, one thread each. What counts is what the sink received; its figures come
/// back over a control connection.
/// </summary>
internal sealed class TcpSource
{
    private readonly IPEndPoint _remote;
    private readonly TcpPreamble _preamble;
    private readonly long _until;
    private readonly long _deadline;

    private TcpSource(IPEndPoint remote, TcpPreamble preamble)
    {
        _remote = remote;
        _preamble = preamble;
        _until = Clock.Now + preamble.Nanoseconds;
        _deadline = _until + Clock.Grace;
    }

    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPEndPoint remote = arguments.EndPoint("--to");
        int streams = (int)arguments.Integer("--streams", 1, 512, 1);
        long duration = arguments.Seconds("--seconds");
        bool bidirectional = arguments.Switch("--bidirectional");
        string congestion = arguments.Word("--congestion", TcpPreamble.CongestionSize - 1, "cubic");
        arguments.Finish();
        ulong run = (ulong)Random.Shared.NextInt64();
        TcpPreamble preamble = new(TcpPreambleKind.Control, run, bidirectional ? 2 * streams : streams, duration, congestion);
        return new TcpSource(remote, preamble).Run(streams, bidirectional);
    }

    private TcpResult Run(int streams, bool bidirectional)
    {
        byte[] report = new byte[2 * StreamCounters.Size];
        using LabSocket control = LabSocket.ConnectTcp(_remote, _preamble.Congestion, Clock.Now + Clock.Grace);
        control.SendAll(_preamble.ToBytes(), _deadline);
        // The sink answers once it knows the run and has the congestion control.
        control.ReceiveAll(report.AsSpan(0, 1), Clock.Now + Clock.Grace);

        StreamCounters forward = new(), reverse = new();
        string congestion = control.GetCongestionControl();
        Workers workers = new();
        for (int i = 0; i < streams; i++)
        {
            workers.Start("tcp-forward", () => RunStream(TcpPreambleKind.Forward, forward));
            if (bidirectional) workers.Start("tcp-reverse", () => RunStream(TcpPreambleKind.Reverse, reverse));
        }
        workers.Join();

        control.SendAll(report.AsSpan(0, 1), _deadline);
        control.ReceiveAll(report, _deadline);
        StreamCounters sinkForward = StreamCounters.Read(report), sinkReverse = StreamCounters.Read(report.AsSpan(StreamCounters.Size));
        return new TcpResult
        {
            Role = "tcp-source",
            Streams = streams,
            DurationNs = _preamble.Nanoseconds,
            Congestion = congestion,
            Runs = 1,
            Forward = TcpDirection.From(forward, sinkForward),
            Reverse = bidirectional ? TcpDirection.From(sinkReverse, reverse) : null,
        };
    }

    private void RunStream(TcpPreambleKind kind, StreamCounters counters)
    {
        using LabSocket socket = LabSocket.ConnectTcp(_remote, _preamble.Congestion, Math.Min(_until, Clock.Now + Clock.Grace));
        socket.SendAll((_preamble with { Kind = kind }).ToBytes(), _deadline);
        if (socket.GetCongestionControl() != _preamble.Congestion)
            throw new AgentException($"the kernel uses the congestion control \"{socket.GetCongestionControl()}\" instead of \"{_preamble.Congestion}\"");
        if (kind == TcpPreambleKind.Forward) TcpStream.Send(socket, _until, _deadline, counters);
        else TcpStream.Receive(socket, _deadline, null, counters, null);
    }
}
