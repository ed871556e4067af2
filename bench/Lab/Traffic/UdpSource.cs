using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// udp-source: datagrams of one size at a steady rate or as fast as they go, then the sink's account of them. One thread, nothing
/// allocated while it sends.
/// </summary>
internal sealed unsafe class UdpSource : IDisposable
{
    private const int FloodBatch = 32;
    private const int PacedBurst = 16;

    // Below this a sleep costs more processor time than the datagrams it spaces.
    private const long ShortestSleep = 50_000;

    // A sender held up for longer gives the places up: catching up would be a burst that no user's traffic has.
    private const long LongestDebt = 5 * Clock.Millisecond;

    private readonly LabSocket _socket;
    private readonly NativeSlab _slab;
    private readonly mmsghdr* _messages;
    private readonly ulong _sender = UdpExchange.NewSender();
    private readonly int _size;
    private long _sent, _skipped, _errors;

    private UdpSource(LabSocket socket, int size)
    {
        _socket = socket;
        _size = size;
        _slab = new NativeSlab((nuint)(FloodBatch * (size + 512) + 65_536));
        _messages = _slab.Take<mmsghdr>(FloodBatch);
        iovec* vectors = _slab.Take<iovec>(FloodBatch);
        for (int i = 0; i < FloodBatch; i++)
        {
            byte* datagram = _slab.Take<byte>(size);
            Random.Shared.NextBytes(new Span<byte>(datagram, size));
            *(ProbeHeader*)datagram = ProbeHeader.Create(ProbeKind.Data, _sender, 0);
            vectors[i] = new iovec { iov_base = datagram, iov_len = (nuint)size };
            _messages[i].msg_hdr = new msghdr { msg_iov = vectors + i, msg_iovlen = 1 };
        }
    }

    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPEndPoint remote = arguments.EndPoint("--to");
        int size = (int)arguments.Integer("--size", ProbeHeader.Size, ProbeHeader.MaxDatagram);
        bool flood = arguments.Either("--flood", "--rate");
        long? rate = flood ? null : arguments.Integer("--rate", 1, 100_000_000);
        if (flood) arguments.Switch("--flood");
        long duration = arguments.Seconds("--seconds");
        arguments.Finish();
        using LabSocket socket = LabSocket.ConnectUdp(remote);
        socket.EnlargeBuffers();
        using UdpSource source = new(socket, size);
        return source.Run(rate, duration, context.Stop);
    }

    public void Dispose() => _slab.Dispose();

    private UdpSourceResult Run(long? rate, long duration, StopSignal stop)
    {
        ProbeHeader answer;
        UdpExchange.Ask(_socket, ProbeHeader.Create(ProbeKind.Hello, _sender, 0), &answer, ProbeHeader.Size, Clock.Now + Clock.Grace);
        Clock.SharpenSleeps();
        long start = Clock.Now;
        if (rate is { } perSecond) SendPaced(perSecond, start, start + duration, stop);
        else SendFlood(start + duration, stop);
        long elapsed = Clock.Now - start;
        return Result(rate, elapsed, AskForReport(Clock.Now + Clock.Grace));
    }

    private void SendFlood(long until, StopSignal stop)
    {
        while (Clock.Now < until && !stop.IsSet) Send(FloodBatch);
    }

    private void SendPaced(long rate, long start, long until, StopSignal stop)
    {
        double perNanosecond = rate / (double)Clock.Second;
        long debtLimit = Math.Max(PacedBurst, (long)(LongestDebt * perNanosecond));
        for (long now = start; now < until && !stop.IsSet; now = Clock.Now)
        {
            long scheduled = _sent + _skipped;
            long due = (long)((now - start) * perNanosecond) + 1 - scheduled;
            if (due <= 0)
            {
                long next = start + (long)(scheduled / perNanosecond);
                Clock.Sleep(Math.Min(Math.Max(next - now, ShortestSleep), until - now));
                continue;
            }
            if (due > debtLimit)
            {
                _skipped += due - debtLimit;
                due = debtLimit;
            }
            Send((int)Math.Min(due, PacedBurst));
        }
    }

    private void Send(int count)
    {
        for (int i = 0; i < count; i++) ((ProbeHeader*)_messages[i].msg_hdr.msg_iov->iov_base)->Sequence = (ulong)(_sent + i);
        SysResult result = SysResult.From(Libc.sendmmsg(_socket.Fd, _messages, (uint)count, Libc.MSG_NOSIGNAL));
        if (result.IsSuccess)
        {
            _sent += result.Value;
            return;
        }
        // EAGAIN after SO_SNDTIMEO: the queue in front of us does not move; the caller's clock decides.
        if (!LabSocket.IsTransient(result.Errno)) throw LabSocket.Failure($"send datagrams of {_size} bytes", result);
        _errors++;
    }

    // Twice the same, or everything there: what was in the queues when the last datagram left has arrived.
    private DeliveryReport AskForReport(long deadline)
    {
        DeliveryReport report, previous = default;
        previous.Unique = -1;
        while (true)
        {
            UdpExchange.Ask(_socket, ProbeHeader.Create(ProbeKind.Report, _sender, (ulong)_sent), &report, sizeof(DeliveryReport), deadline);
            if (report.Unique == _sent || (report.Unique == previous.Unique && report.Duplicate == previous.Duplicate)) return report;
            previous = report;
            Clock.Sleep(100 * Clock.Millisecond);
        }
    }

    private UdpSourceResult Result(long? rate, long elapsed, DeliveryReport report) => new()
    {
        Role = "udp-source",
        Size = _size,
        Rate = rate,
        Sent = _sent,
        SentPps = _sent * (double)Clock.Second / elapsed,
        ElapsedNs = elapsed,
        Skipped = _skipped,
        SendErrors = _errors,
        Delivered = report.Unique,
        DeliveredPps = report.Elapsed > 0 ? report.Unique * (double)Clock.Second / report.Elapsed : 0,
        DeliveredBitsPerSecond = report.Elapsed > 0 ? report.Bytes * 8e9 / report.Elapsed : 0,
        Lost = _sent - report.Unique,
        Loss = _sent > 0 ? (_sent - report.Unique) / (double)_sent : 0,
        Reordered = report.Reordered,
        ReorderDistance = report.ReorderDistance,
        Duplicate = report.Duplicate,
        Stale = report.Stale,
        SinkSocketDrops = report.SocketDrops,
    };
}
