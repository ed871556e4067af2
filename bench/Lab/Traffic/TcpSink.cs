using System.Collections.Concurrent;

namespace FlannelFast.Lab.Traffic;

/// <summary>tcp-sink: serves any number of runs of <see cref="TcpSource"/>, also at the same time, until it is stopped.</summary>
internal sealed class TcpSink
{
    private readonly ConcurrentDictionary<ulong, TcpRun> _runs = new();
    private readonly StopSignal _stop;
    private readonly Lock _lock = new();
    private readonly LiveCounter? _live;
    private long _received, _receivedNs, _sent, _retransmits;
    private int _completed;
    private string? _congestion;

    private TcpSink(StopSignal stop, LiveCounter? live) => (_stop, _live) = (stop, live);

    internal static AgentResult Run(AgentContext context)
    {
        System.Net.IPEndPoint local = context.Arguments.EndPoint("--listen");
        long every = context.Arguments.Seconds("--every", 0);
        context.Arguments.Finish();
        using LabSocket listener = LabSocket.Listen(local);
        context.Listening();
        TcpSink sink = new(context.Stop, every > 0 ? new LiveCounter() : null);
        List<Thread> threads = [];
        if (sink._live is { } live)
        {
            threads.Add(new Thread(() => IntervalReport.Write(context.Output, every, live, context.Stop)) { Name = "tcp-sink intervals", IsBackground = true });
            threads[0].Start();
        }
        while (!context.Stop.IsSet)
        {
            threads.RemoveAll(t => !t.IsAlive);
            if (listener.Accept() is not { } connection) continue;
            Thread thread = new(() => sink.Serve(connection)) { Name = "tcp-sink", IsBackground = true };
            threads.Add(thread);
            thread.Start();
        }
        foreach (Thread thread in threads) thread.Join();
        return sink.Result();
    }

    private void Serve(LabSocket connection)
    {
        using (connection)
        {
            try
            {
                byte[] bytes = new byte[TcpPreamble.Size];
                connection.ReceiveAll(bytes, Clock.Now + Clock.Grace);
                if (TcpPreamble.Parse(bytes) is not { } preamble) return;
                if (preamble.Kind == TcpPreambleKind.Control) ServeControl(connection, preamble);
                else if (_runs.TryGetValue(preamble.Run, out TcpRun? run)) ServeStream(connection, preamble, run);
            }
            catch (Exception error) when (error is AgentException or IOException)
            {
                // The source sees the broken connection and reports it; the sink stays for the next run.
            }
        }
    }

    private void ServeStream(LabSocket connection, TcpPreamble preamble, TcpRun run)
    {
        connection.SetCongestionControl(preamble.Congestion);
        if (preamble.Kind == TcpPreambleKind.Reverse) TcpStream.Send(connection, Clock.Now + preamble.Nanoseconds, run.Deadline, run.Reverse);
        else TcpStream.Receive(connection, run.Deadline, _stop, run.Forward, _live);
    }

    private void ServeControl(LabSocket control, TcpPreamble preamble)
    {
        TcpRun run = new(Clock.Now + preamble.Nanoseconds + Clock.Grace);
        // Checked here once, where the answer can still tell the source: a stream that fails later could only break off.
        control.SetCongestionControl(preamble.Congestion);
        if (!_runs.TryAdd(preamble.Run, run)) return;
        try
        {
            byte[] report = new byte[2 * StreamCounters.Size];
            control.SendAll(report.AsSpan(0, 1), run.Deadline);
            control.ReceiveAll(report.AsSpan(0, 1), run.Deadline);
            while (run.Forward.Finished + run.Reverse.Finished < preamble.Streams)
            {
                if (Clock.Now > run.Deadline || _stop.IsSet) return;
                Clock.Sleep(Clock.Millisecond);
            }
            run.Forward.Write(report);
            run.Reverse.Write(report.AsSpan(StreamCounters.Size));
            control.SendAll(report, run.Deadline);
            AddToTotals(run, control.GetCongestionControl());
        }
        finally
        {
            _runs.TryRemove(preamble.Run, out _);
        }
    }

    private void AddToTotals(TcpRun run, string congestion)
    {
        lock (_lock)
        {
            _received += run.Forward.BytesReceived;
            _receivedNs += run.Forward.Elapsed;
            _sent += run.Reverse.BytesSent;
            _retransmits += run.Reverse.Retransmits;
            _completed++;
            _congestion ??= congestion;
        }
    }

    private TcpResult Result() => new()
    {
        Role = "tcp-sink",
        Runs = _completed,
        Congestion = _congestion,
        Forward = new TcpDirection(0, _received, _receivedNs > 0 ? _received * 8e9 / _receivedNs : 0, _receivedNs, 0),
        Reverse = _sent > 0 ? new TcpDirection(_sent, 0, 0, 0, _retransmits) : null,
    };
}
