using System.Buffers.Binary;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using FlannelFast.Dataplane.Sockets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The messages of one receive burst in fixed buffers of 64 KiB. Owned and used by one worker thread; what
/// <see cref="Read"/> gives stays valid until the next <see cref="Fill"/>.
/// </summary>
internal sealed unsafe class ReceiveBatch<TPort>
    where TPort : struct, IPacketPort
{
    /// <summary>Datagrams one burst can hold: 64 is the kernel's limit for one message (UDP_GRO_CNT_MAX).</summary>
    internal const int MaxPackets = LargeWindow * 64;

    private const int LargeWindow = 32;

    /// <summary>With large messages a few fill the second-level cache; more per call would only push them out again.</summary>
    private const int SmallWindow = 4;
    private const int LargeMessage = 16 * 1024;
    private const int BufferSize = 65536;
    private const int ControlSize = 64;

    private readonly TPort _port;
    private readonly bool _ipv6;
    private readonly mmsghdr* _messages;
    private readonly byte* _buffers;
    private readonly byte* _controls;
    private readonly byte* _addresses;
    private int _window = LargeWindow;

    internal ReceiveBatch(TPort port, bool ipv6, NativeSlab slab)
    {
        _port = port;
        _ipv6 = ipv6;
        _messages = slab.Take<mmsghdr>(LargeWindow);
        var iovs = slab.Take<iovec>(LargeWindow);
        _buffers = slab.Take<byte>(LargeWindow * BufferSize);
        _controls = slab.Take<byte>(LargeWindow * ControlSize);
        _addresses = slab.Take<byte>(LargeWindow * SocketAddress.MaxSize);
        for (int i = 0; i < LargeWindow; i++)
        {
            iovs[i] = new() { iov_base = _buffers + i * BufferSize, iov_len = BufferSize };
            _messages[i].msg_hdr = new()
            {
                msg_name = _addresses + i * SocketAddress.MaxSize,
                msg_iov = &iovs[i],
                msg_iovlen = 1,
                msg_control = _controls + i * ControlSize,
            };
        }
    }

    /// <summary>Bytes of slab a batch takes.</summary>
    internal static nuint SlabSize => LargeWindow * (BufferSize + 512) + 16 * NativeSlab.Alignment;

    /// <summary>Receives what is there, at most one window. Returns the messages filled, 0 when none was there, or minus the error number.</summary>
    internal int Fill()
    {
        for (int i = 0; i < _window; i++)
        {
            msghdr* header = &_messages[i].msg_hdr;
            header->msg_namelen = SocketAddress.MaxSize;
            header->msg_controllen = ControlSize;
            header->msg_flags = 0;
        }
        int received = _port.Receive(_messages, _window);
        if (received <= 0) return received == -Errno.EAGAIN || received == -Errno.EINTR ? 0 : received;
        _window = _messages[0].msg_len >= LargeMessage ? SmallWindow : LargeWindow;
        return received;
    }

    /// <summary>Describes a received message.</summary>
    internal void Read(int index, out ReceivedMessage message)
    {
        ref mmsghdr raw = ref _messages[index];
        byte* address = _addresses + index * SocketAddress.MaxSize;
        message = new()
        {
            Payload = _buffers + index * BufferSize,
            Length = (int)raw.msg_len,
            SegmentSize = (int)raw.msg_len,
            Truncated = (raw.msg_hdr.msg_flags & (Libc.MSG_TRUNC | Libc.MSG_CTRUNC)) != 0,
            // Port and family stand at the same place in both families.
            SourcePort = BinaryPrimitives.ReverseEndianness(((sockaddr_in*)address)->sin_port),
        };
        if (_ipv6) message.SourceIpv6 = BinaryPrimitives.ReadUInt128BigEndian(new(((sockaddr_in6*)address)->sin6_addr, 16));
        else message.SourceIpv4 = BinaryPrimitives.ReverseEndianness(((sockaddr_in*)address)->sin_addr);
        ReadControl(_controls + index * ControlSize, (int)raw.msg_hdr.msg_controllen, ref message);
    }

    private static void ReadControl(byte* control, int length, ref ReceivedMessage message)
    {
        while (length >= Libc.CmsgHeaderSize)
        {
            var header = (cmsghdr*)control;
            int size = (int)header->cmsg_len;
            if (size < Libc.CmsgHeaderSize || size > length) return;
            if (size >= Libc.CmsgHeaderSize + sizeof(int) && header->cmsg_level == Libc.SOL_UDP && header->cmsg_type == Libc.UDP_GRO)
            {
                int value = *(int*)(control + Libc.CmsgHeaderSize);
                // 0, negative or beyond the payload would not cut anything sensible: then it is one datagram.
                if (value > 0 && value < message.Length) message.SegmentSize = value;
            }
            int step = (size + 7) & ~7;
            control += step;
            length -= step;
        }
    }
}
