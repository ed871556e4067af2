using System.Net;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>connect-sink: takes connections, answers one byte with one byte and closes.</summary>
internal static unsafe class ConnectSink
{
    // One connection that loses a segment must not hold up all others.
    private const int Threads = 4;

    internal static AgentResult Run(AgentContext context)
    {
        IPEndPoint local = context.Arguments.EndPoint("--listen");
        context.Arguments.Finish();
        using LabSocket listener = LabSocket.Listen(local);
        context.Listening();
        long served = 0;
        Workers workers = new();
        for (int i = 0; i < Threads; i++) workers.Start("connect-sink", () => Interlocked.Add(ref served, Serve(listener, context.Stop)));
        workers.Join();
        return new ConnectSinkResult { Role = "connect-sink", Connections = served };
    }

    private static long Serve(LabSocket listener, StopSignal stop)
    {
        long served = 0;
        while (!stop.IsSet)
        {
            SysResult accepted = listener.TryAccept();
            if (accepted.IsError)
            {
                if (!LabSocket.IsTransient(accepted.Errno)) throw LabSocket.Failure("accept", accepted);
                continue;
            }
            byte value;
            bool answered = Libc.read(accepted.Value, &value, 1) == 1
                && Libc.sendto(accepted.Value, &value, 1, Libc.MSG_NOSIGNAL, null, 0) == 1;
            if (answered) served++;
            _ = Libc.close(accepted.Value);
        }
        return served;
    }
}
