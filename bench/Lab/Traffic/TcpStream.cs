using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>The two measuring loops of TCP. Nothing allocates in them.</summary>
internal static unsafe class TcpStream
{
    /// <summary>Bytes per write and per read.</summary>
    internal const int BlockSize = 128 * 1024;

    /// <summary>
    /// How far each block begins behind the one before. The kernel copies with "rep movsb", and how fast that is depends on where target and
    /// source lie to each other in their pages: on Zen 4 it is 50 GB/s, 30 where the target is 16 to 63 bytes ahead modulo 4096, and 3 where it is 1 to 15. From a fixed
    /// block this is settled once for a connection, by chance. 577 is coprime to the page size: every place has its turn.
    /// </summary>
    private const int Step = 577, PageSize = 4096;

    /// <summary>Sends until a moment, ends the stream and waits until the peer has read all of it.</summary>
    /// <param name="socket">Connected.</param>
    /// <param name="until">When to stop sending.</param>
    /// <param name="deadline">When to give the peer up.</param>
    /// <param name="counters">Where the result goes.</param>
    internal static void Send(LabSocket socket, long until, long deadline, StreamCounters counters)
    {
        using NativeSlab slab = new(BlockSize + PageSize);
        byte* block = slab.Take<byte>(BlockSize + PageSize);
        // Not zeros: a path that compresses or skips empty pages would look faster than it is.
        Random.Shared.NextBytes(new Span<byte>(block, BlockSize + PageSize));
        long bytes = 0;
        int shift = 0;
        while (Clock.Now < until)
        {
            SysResult sent = socket.Send(block + shift, BlockSize);
            shift = (shift + Step) % PageSize;
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
        using NativeSlab slab = new(BlockSize + PageSize);
        byte* block = slab.Take<byte>(BlockSize + PageSize);
        int shift = 0;
        long bytes = 0, first = 0, last = 0;
        while (true)
        {
            SysResult got = socket.Receive(block + shift, BlockSize);
            shift = (shift + Step) % PageSize;
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
