using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>The two measuring loops of TCP. Nothing allocates in them.</summary>
internal static unsafe class TcpStream
{
    /// <summary>Bytes per write and per read.</summary>
    internal const int BlockSize = 128 * 1024;

    /// <summary>Sends until a moment, ends the stream and waits until the peer has read all of it.</summary>
    /// <param name="socket">Connected.</param>
    /// <param name="until">When to stop sending.</param>
    /// <param name="deadline">When to give the peer up.</param>
    /// <param name="counters">Where the result goes.</param>
    internal static void Send(LabSocket socket, long until, long deadline, StreamCounters counters)
    {
        using NativeSlab slab = new(BlockSize);
        byte* block = slab.Take<byte>(BlockSize);
        // Not zeros: a path that compresses or skips empty pages would look faster than it is.
        Random.Shared.NextBytes(new Span<byte>(block, BlockSize));
        long bytes = 0;
        while (Clock.Now < until)
        {
            SysResult sent = socket.Send(block, BlockSize);
            if (sent.IsSuccess) bytes += sent.Value;
            else if (!LabSocket.IsTimeout(sent.Errno)) throw LabSocket.Failure("send", sent);
        }
        socket.ShutdownSend();
        AwaitEnd(socket, block, deadline);
        counters.AddSent(bytes, socket.GetRetransmits());
    }

    /// <summary>Receives until the end of the stream.</summary>
    /// <param name="socket">Connected.</param>
    /// <param name="deadline">When to give the peer up.</param>
    /// <param name="stop">Ends it early; null for none.</param>
    /// <param name="counters">Where the result goes.</param>
    /// <param name="live">Grows with every read; null for none.</param>
    internal static void Receive(LabSocket socket, long deadline, StopSignal? stop, StreamCounters counters, LiveCounter? live)
    {
        using NativeSlab slab = new(BlockSize);
        byte* block = slab.Take<byte>(BlockSize);
        long bytes = 0, first = 0, last = 0;
        while (true)
        {
            SysResult got = socket.Receive(block, BlockSize);
            long now = Clock.Now;
            if (got.Raw > 0)
            {
                last = now;
                if (bytes == 0) first = now;
                bytes += got.Value;
                live?.Add(got.Value);
            }
            else if (got.Raw == 0)
            {
                break;
            }
            else if (!LabSocket.IsTimeout(got.Errno))
            {
                throw LabSocket.Failure("receive", got);
            }
            if (stop is { IsSet: true }) break;
            if (now > deadline) throw LabSocket.Late();
        }
        counters.AddReceived(bytes, first, last);
    }

    private static void AwaitEnd(LabSocket socket, byte* block, long deadline)
    {
        while (true)
        {
            SysResult got = socket.Receive(block, 1);
            if (got.Raw == 0) return;
            if (got.IsError && !LabSocket.IsTimeout(got.Errno)) throw LabSocket.Failure("receive", got);
            if (Clock.Now > deadline) throw LabSocket.Late();
        }
    }
}
