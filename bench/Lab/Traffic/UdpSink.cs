using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Lab.Traffic;

/// <summary>udp-sink: counts what arrives, per sender, until it is stopped. One thread, nothing allocated once it listens.</summary>
internal sealed unsafe class UdpSink : IDisposable
{
    private const int Batch = 64;
    private const int MaxSessions = 16;

    // Not a power of two: headers of a batch would all fall into the same few sets of the cache.
    private const int Stride = 65_536 + 128;

    private readonly NativeSlab _slab = new(Batch * (Stride + 1024) + 65_536);
    private readonly mmsghdr* _messages;
    private readonly UdpSession[] _sessions = new UdpSession[MaxSessions];
    private readonly LabSocket _socket;
    private UdpSession _latest;
    private int _oldest;
    private uint _drops;
    private long _foreign;
    private UdpSinkResult _retired = new() { Role = "udp-sink" };

    private UdpSink(LabSocket socket)
    {
        _socket = socket;
        for (int i = 0; i < MaxSessions; i++) _sessions[i] = new UdpSession();
        _latest = _sessions[0];
        _messages = _slab.Take<mmsghdr>(Batch);
        iovec* vectors = _slab.Take<iovec>(Batch);
        for (int i = 0; i < Batch; i++)
        {
            vectors[i] = new iovec { iov_base = _slab.Take<byte>(Stride), iov_len = Stride };
            _messages[i].msg_hdr = new msghdr
            {
                msg_name = _slab.Take<byte>(SocketAddress.MaxSize),
                msg_iov = vectors + i,
                msg_iovlen = 1,
                msg_control = _slab.Take<byte>(Libc.CmsgSpaceOfOneWord),
            };
        }
    }

    internal static AgentResult Run(AgentContext context)
    {
        IPEndPoint local = context.Arguments.EndPoint("--listen");
        context.Arguments.Finish();
        using LabSocket socket = LabSocket.BindUdp(local);
        socket.EnlargeBuffers();
        socket.CountDrops();
        using UdpSink sink = new(socket);
        context.Listening();
        while (!context.Stop.IsSet) sink.ReceiveBatch();
        return sink.Result();
    }

    public void Dispose() => _slab.Dispose();

    private void ReceiveBatch()
    {
        for (int i = 0; i < Batch; i++)
        {
            _messages[i].msg_hdr.msg_namelen = SocketAddress.MaxSize;
            _messages[i].msg_hdr.msg_controllen = Libc.CmsgSpaceOfOneWord;
        }
        SysResult received = SysResult.From(Libc.recvmmsg(_socket.Fd, _messages, Batch, Libc.MSG_WAITFORONE, null));
        if (received.IsError)
        {
            if (!LabSocket.IsTransient(received.Errno)) throw LabSocket.Failure("receive", received);
            return;
        }
        long now = Clock.Now;
        for (int i = 0; i < received.Value; i++) Take(_messages + i, now);
    }

    private void Take(mmsghdr* message, long now)
    {
        var control = (cmsghdr*)message->msg_hdr.msg_control;
        if (message->msg_hdr.msg_controllen >= Libc.CmsgHeaderSize + sizeof(uint) && control->cmsg_type == Libc.SO_RXQ_OVFL)
            _drops = *(uint*)((byte*)control + Libc.CmsgHeaderSize);

        var header = (ProbeHeader*)message->msg_hdr.msg_iov->iov_base;
        if (message->msg_len < ProbeHeader.Size || !header->IsOurs || header->Sender == 0)
        {
            _foreign++;
            return;
        }
        if (header->Kind == ProbeKind.Data && header->Sender == _latest.Sender)
        {
            _latest.Add(header->Sequence, message->msg_len, now);
            return;
        }
        TakeRare(message, *header, now);
    }

    private void TakeRare(mmsghdr* message, ProbeHeader header, long now)
    {
        UdpSession? session = Find(header.Sender);
        if (header.Kind == ProbeKind.Hello)
        {
            // Again if the answer was lost: the counters must not start over, data may already be here.
            if (session is null) _latest = Begin(header.Sender);
            Answer(message, &header, ProbeHeader.Size);
        }
        else if (session is null)
        {
            _foreign++;
        }
        else if (header.Kind == ProbeKind.Data)
        {
            _latest = session;
            session.Add(header.Sequence, message->msg_len, now);
        }
        else if (header.Kind == ProbeKind.Report)
        {
            DeliveryReport report = session.Report(header.Sequence, _drops);
            Answer(message, &report, sizeof(DeliveryReport));
        }
        else
        {
            _foreign++;
        }
    }

    // An answer that cannot be sent is asked for again.
    private void Answer(mmsghdr* message, void* answer, int length) =>
        _ = Libc.sendto(_socket.Fd, answer, (nuint)length, Libc.MSG_NOSIGNAL, message->msg_hdr.msg_name, message->msg_hdr.msg_namelen);

    private UdpSession? Find(ulong sender)
    {
        foreach (UdpSession session in _sessions)
        {
            if (session.Sender == sender) return session;
        }
        return null;
    }

    private UdpSession Begin(ulong sender)
    {
        UdpSession session = _sessions[_oldest];
        _oldest = (_oldest + 1) % MaxSessions;
        _retired = session.AddTo(_retired);
        session.Begin(sender, _drops);
        return session;
    }

    private UdpSinkResult Result()
    {
        UdpSinkResult total = _retired;
        foreach (UdpSession session in _sessions) total = session.AddTo(total);
        return total with { SocketDrops = _drops, Foreign = _foreign };
    }
}
