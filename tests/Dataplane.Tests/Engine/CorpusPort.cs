using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>
/// The state behind a <see cref="CorpusPort"/>: two corpora in native memory that are read round and round, and plain sums of what
/// came out. Nothing here allocates once it is built, so that what the loop allocates can be seen.
/// </summary>
internal sealed unsafe class Corpus
{
    private readonly List<(nint At, int Length)> _frames = [];
    private readonly List<(nint At, int Length, uint Source, int GroSize, bool Truncated)> _messages = [];
    private int _frame;
    private int _message;
    private int _sends;
    private int _writes;

    /// <summary>Frames and messages that may still be read in this burst.</summary>
    public int TunLeft { get; set; }

    public int UdpLeft { get; set; }

    public long DatagramsOut { get; private set; }

    public long FramesOut { get; private set; }

    /// <summary>Packets in the frames written, a super-packet counted as its segments.</summary>
    public long PacketsToTun { get; private set; }

    public long SendCalls => _sends;

    /// <summary>The sockets that datagrams left from, as bits.</summary>
    public uint Sources { get; private set; }

    /// <summary>Every so many calls one fails; 0 never.</summary>
    public int FailEvery { get; set; }

    public void AddFrame(byte[] frame) => _frames.Add((Copy(frame), frame.Length));

    public void AddMessage(uint source, byte[] payload, int groSize = 0, bool truncated = false) =>
        _messages.Add((Copy(payload), payload.Length, source, groSize, truncated));

    private static nint Copy(byte[] bytes)
    {
        nint at = Marshal.AllocHGlobal(Math.Max(1, bytes.Length));
        Marshal.Copy(bytes, 0, at, bytes.Length);
        return at;
    }

    public nint ReadTun(iovec* iov)
    {
        if (TunLeft-- <= 0) return -Errno.EAGAIN;
        (nint at, int length) = _frames[_frame];
        _frame = _frame + 1 == _frames.Count ? 0 : _frame + 1;
        int header = Math.Min(length, (int)iov[0].iov_len);
        Buffer.MemoryCopy((void*)at, iov[0].iov_base, header, header);
        Buffer.MemoryCopy((byte*)at + header, iov[1].iov_base, (long)iov[1].iov_len, length - header);
        return length;
    }

    public nint WriteTun(iovec* iov, int count)
    {
        if (FailEvery > 0 && ++_writes % FailEvery == 0)
            return -((_writes / FailEvery % 5) switch { 0 => Errno.EIO, 1 => Errno.ENOBUFS, 2 => Errno.EBADFD, _ => Errno.EINVAL });
        nint total = 0;
        for (int i = 0; i < count; i++) total += (nint)iov[i].iov_len;
        var header = (virtio_net_hdr*)iov[0].iov_base;
        int payload = (int)total - sizeof(virtio_net_hdr) - header->hdr_len;
        FramesOut++;
        PacketsToTun += header->gso_type == 0 ? 1 : (payload + header->gso_size - 1) / header->gso_size;
        return total;
    }

    public int Send(int source, mmsghdr* messages, int count)
    {
        Sources |= 1u << source;
        if (FailEvery > 0 && ++_sends % FailEvery == 0)
        {
            return -((_sends / FailEvery % 7) switch
            {
                0 => Errno.EMSGSIZE,
                1 => Errno.ENOBUFS,
                2 => Errno.ENETUNREACH,
                3 => Errno.EPERM,
                4 => Errno.EAGAIN,
                5 => Errno.ECONNREFUSED,
                _ => Errno.EINVAL,
            });
        }
        int taken = FailEvery > 0 ? Math.Max(1, count / 2) : count;
        for (int i = 0; i < taken; i++)
        {
            ref msghdr message = ref messages[i].msg_hdr;
            int length = (int)message.msg_iov->iov_len;
            int segment = message.msg_control == null ? length : *(ushort*)((byte*)message.msg_control + Libc.CmsgHeaderSize);
            DatagramsOut += (length + segment - 1) / segment;
        }
        return taken;
    }

    public int Receive(mmsghdr* messages, int count)
    {
        int filled = 0;
        for (; filled < count && UdpLeft > 0; filled++, UdpLeft--)
        {
            (nint at, int length, uint source, int groSize, bool truncated) = _messages[_message];
            _message = _message + 1 == _messages.Count ? 0 : _message + 1;
            mmsghdr* message = &messages[filled];
            Buffer.MemoryCopy((void*)at, message->msg_hdr.msg_iov->iov_base, (long)message->msg_hdr.msg_iov->iov_len, length);
            message->msg_len = (uint)length;
            message->msg_hdr.msg_flags = truncated ? Libc.MSG_TRUNC : 0;
            *(sockaddr_in*)message->msg_hdr.msg_name = new()
            {
                sin_family = Libc.AF_INET,
                sin_port = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness((ushort)8285),
                sin_addr = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(source),
            };
            message->msg_hdr.msg_controllen = 0;
            if (groSize == 0) continue;
            var control = (cmsghdr*)message->msg_hdr.msg_control;
            *control = new() { cmsg_len = Libc.CmsgHeaderSize + sizeof(int), cmsg_level = Libc.SOL_UDP, cmsg_type = Libc.UDP_GRO };
            *(int*)(control + 1) = groSize;
            message->msg_hdr.msg_controllen = Libc.CmsgSpaceOfOneWord;
        }
        return filled == 0 ? -Errno.EAGAIN : filled;
    }
}

internal readonly unsafe struct CorpusPort(Corpus corpus) : IPacketPort
{
    public nint ReadTun(iovec* iov, int count) => corpus.ReadTun(iov);

    public nint WriteTun(iovec* iov, int count) => corpus.WriteTun(iov, count);

    public int Send(int source, mmsghdr* messages, int count) => corpus.Send(source, messages, count);

    public int Receive(mmsghdr* messages, int count) => corpus.Receive(messages, count);

    public void Wait(bool tun, int timeoutMilliseconds) => throw new InvalidOperationException("tests drive bursts themselves");

    public void WaitWritable(int source, int timeoutMilliseconds)
    {
    }

    public void Pause(int microseconds) => throw new InvalidOperationException("tests drive bursts themselves");

    public bool TrySetUrgency(Urgency urgency) => throw new InvalidOperationException("tests drive bursts themselves");
}
