using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>What a test gives a worker to read and what the worker wrote: the twin of TUN queue and UDP sockets.</summary>
internal sealed unsafe class FakeHost
{
    /// <summary>Frames to read from the TUN, each with its virtio-net header in front when <see cref="VnetHeader"/>.</summary>
    public Queue<byte[]> TunIn { get; } = new();

    /// <summary>Frames written to the TUN, as written.</summary>
    public List<byte[]> TunOut { get; } = [];

    public Queue<Datagram> UdpIn { get; } = new();

    /// <summary>Datagrams as they would be on the wire: runs are cut.</summary>
    public List<Datagram> UdpOut { get; } = [];

    /// <summary>Messages handed to the socket, with their segment size (0: no control message).</summary>
    public List<(int Length, int SegmentSize)> Messages { get; } = [];

    /// <summary>Answers of the next Send calls: 0 or nothing succeeds, an errno fails; consumed one per call.</summary>
    public Queue<int> SendErrors { get; } = new();

    /// <summary>Decides the answer of a Send call by its socket, where <see cref="SendErrors"/> has none: 0 succeeds, else the errno.</summary>
    public Func<int, int>? SourceError { get; set; }

    /// <summary>The socket and the number of messages of every Send call.</summary>
    public List<(int Source, int Count)> SendCalls { get; } = [];

    /// <summary>At most so many messages are taken by one Send call.</summary>
    public int SendLimit { get; set; } = int.MaxValue;

    /// <summary>Decides the answer to a frame written to the TUN: 0 takes it, else the errno.</summary>
    public Func<byte[], int>? TunWriteError { get; set; }

    /// <summary>Errno of reading an empty TUN.</summary>
    public int TunEmptyError { get; set; } = Errno.EAGAIN;

    public bool VnetHeader { get; set; } = true;

    public int WaitWritableCalls => WaitedFor.Count;

    /// <summary>The sockets that were waited for.</summary>
    public List<int> WaitedFor { get; } = [];

    public nint ReadTun(iovec* iov, int count)
    {
        if (!TunIn.TryDequeue(out byte[]? frame)) return -TunEmptyError;
        int taken = 0;
        for (int i = 0; i < count && taken < frame.Length; i++)
        {
            int size = Math.Min((int)iov[i].iov_len, frame.Length - taken);
            Marshal.Copy(frame, taken, (nint)iov[i].iov_base, size);
            taken += size;
        }
        return taken;
    }

    public nint WriteTun(iovec* iov, int count)
    {
        var frame = new List<byte>();
        for (int i = 0; i < count; i++) frame.AddRange(new ReadOnlySpan<byte>(iov[i].iov_base, (int)iov[i].iov_len));
        int errno = TunWriteError?.Invoke([.. frame]) ?? 0;
        if (errno != 0) return -errno;
        TunOut.Add([.. frame]);
        return frame.Count;
    }

    public int Send(int source, mmsghdr* messages, int count)
    {
        SendCalls.Add((source, count));
        if (!SendErrors.TryDequeue(out int errno)) errno = SourceError?.Invoke(source) ?? 0;
        if (errno != 0) return -errno;
        int taken = Math.Min(count, SendLimit);
        for (int i = 0; i < taken; i++) Take(source, messages[i].msg_hdr);
        return taken;
    }

    private void Take(int source, in msghdr message)
    {
        var payload = new ReadOnlySpan<byte>(message.msg_iov->iov_base, (int)message.msg_iov->iov_len);
        int segment = message.msg_control == null ? 0 : *(ushort*)((byte*)message.msg_control + Libc.CmsgHeaderSize);
        Messages.Add((payload.Length, segment));
        var address = (sockaddr_in*)message.msg_name;
        uint to = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(address->sin_addr);
        int port = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(address->sin_port);
        int step = segment == 0 ? payload.Length : segment;
        for (int offset = 0; offset < payload.Length; offset += step)
            UdpOut.Add(new(to, port, payload.Slice(offset, Math.Min(step, payload.Length - offset)).ToArray(), Source: source));
    }

    public int Receive(mmsghdr* messages, int count)
    {
        int filled = 0;
        while (filled < count && UdpIn.TryDequeue(out Datagram? datagram))
        {
            mmsghdr* message = &messages[filled++];
            int size = Math.Min(datagram.Payload.Length, (int)message->msg_hdr.msg_iov->iov_len);
            Marshal.Copy(datagram.Payload, 0, (nint)message->msg_hdr.msg_iov->iov_base, size);
            message->msg_len = (uint)size;
            message->msg_hdr.msg_flags = datagram.Truncated ? Libc.MSG_TRUNC : 0;
            *(sockaddr_in*)message->msg_hdr.msg_name = new()
            {
                sin_family = Libc.AF_INET,
                sin_port = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ushort)datagram.Port),
                sin_addr = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(datagram.Address),
            };
            var control = (cmsghdr*)message->msg_hdr.msg_control;
            message->msg_hdr.msg_controllen = 0;
            if (datagram.GroSize == 0) continue;
            *control = new() { cmsg_len = Libc.CmsgHeaderSize + sizeof(int), cmsg_level = Libc.SOL_UDP, cmsg_type = Libc.UDP_GRO };
            *(int*)(control + 1) = datagram.GroSize;
            message->msg_hdr.msg_controllen = Libc.CmsgSpaceOfOneWord;
        }
        return filled == 0 ? -Errno.EAGAIN : filled;
    }

    public void WaitWritable(int source) => WaitedFor.Add(source);
}

/// <summary>One message of the underlay. <paramref name="Address"/> is the sender on the way in and the receiver on the way out; <paramref name="Source"/> the socket it left from.</summary>
internal sealed record Datagram(uint Address, int Port, byte[] Payload, int GroSize = 0, bool Truncated = false, int Source = 0);
