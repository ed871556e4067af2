using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Lab.Traffic;

/// <summary>rtt-echo: sends every request back at once.</summary>
internal static unsafe class RttEcho
{
    internal static AgentResult Run(AgentContext context)
    {
        IPEndPoint local = context.Arguments.EndPoint("--listen");
        context.Arguments.Finish();
        using LabSocket socket = LabSocket.BindUdp(local);
        using NativeSlab slab = new(128 * 1024);
        context.Listening();
        return new RttEchoResult { Role = "rtt-echo", Answered = Echo(socket, slab.Take<byte>(65_536), context.Stop) };
    }

    private static long Echo(LabSocket socket, byte* datagram, StopSignal stop)
    {
        byte* from = stackalloc byte[SocketAddress.MaxSize];
        long answered = 0;
        while (!stop.IsSet)
        {
            uint fromLength = SocketAddress.MaxSize;
            SysResult got = SysResult.From(Libc.recvfrom(socket.Fd, datagram, 65_536, 0, from, &fromLength));
            if (got.IsError)
            {
                if (!LabSocket.IsTransient(got.Errno)) throw LabSocket.Failure("receive", got);
                continue;
            }
            var header = (ProbeHeader*)datagram;
            // Requests only: two echoes pointed at each other would never stop.
            if (got.Value < ProbeHeader.Size || !header->IsOurs || header->Kind != ProbeKind.EchoRequest) continue;
            header->Kind = ProbeKind.EchoReply;
            if (Libc.sendto(socket.Fd, datagram, (nuint)got.Value, Libc.MSG_NOSIGNAL, from, fromLength) == got.Value) answered++;
        }
        return answered;
    }
}
