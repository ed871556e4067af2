using System.Net;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// rtt-probe: requests at fixed moments, whether or not the one before was answered. A closed loop would send least while the path
/// is worst and so leave out what it is to find ("coordinated omission"). One thread, nothing allocated while it runs.
/// </summary>
internal sealed unsafe class RttProbe
{
    private const long Drain = Clock.Second;

    private readonly LabSocket _socket;
    private readonly byte* _request;
    private readonly byte* _reply;
    private readonly int _size;
    private readonly ulong _sender;
    private readonly SequenceTracker _tracker = new();
    private readonly LatencyHistogram _histogram = new();
    private long _sent, _latest;

    private RttProbe(LabSocket socket, NativeSlab slab, int size)
    {
        _socket = socket;
        _size = size;
        _sender = UdpExchange.NewSender();
        _request = slab.Take<byte>(size);
        _reply = slab.Take<byte>(65_536);
        Random.Shared.NextBytes(new Span<byte>(_request, size));
        *(ProbeHeader*)_request = ProbeHeader.Create(ProbeKind.EchoRequest, _sender, 0);
    }

    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPEndPoint remote = arguments.EndPoint("--to");
        long duration = arguments.Seconds("--seconds");
        long interval = arguments.Integer("--interval-us", 10, 10_000_000, 1000) * 1000;
        int size = (int)arguments.Integer("--size", ProbeHeader.Size, ProbeHeader.MaxDatagram, 64);
        arguments.Finish();
        using LabSocket socket = LabSocket.ConnectUdp(remote);
        using NativeSlab slab = new(256 * 1024);
        RttProbe probe = new(socket, slab, size);
        probe.Measure(interval, Clock.Now + duration, context.Stop);
        return probe.Result(remote, interval);
    }

    private void Measure(long interval, long until, StopSignal stop)
    {
        Clock.SharpenSleeps();
        long due = Clock.Now;
        while (!stop.IsSet)
        {
            long now = Clock.Now;
            if (now >= until) break;
            if (now >= due)
            {
                SendOne(now, due);
                due += interval;
                // Held up for several intervals: one request now stands for them, a burst would measure itself.
                if (due < now) due = now + interval;
                continue;
            }
            ReceiveUntil(Math.Min(due, until));
        }
        long end = Clock.Now + Drain;
        while (_tracker.Unique < _sent && Clock.Now < end && !stop.IsSet) ReceiveUntil(end);
    }

    private void SendOne(long now, long due)
    {
        _latest = Math.Max(_latest, now - due);
        var header = (ProbeHeader*)_request;
        header->Sequence = (ulong)_sent;
        header->Stamp = Clock.Now;
        SysResult sent = _socket.Send(_request, _size);
        if (sent.IsError && !LabSocket.IsTransient(sent.Errno)) throw LabSocket.Failure($"send {_size} bytes", sent);
        // One that the kernel refused counts as sent: to the application it is lost like any other.
        _sent++;
    }

    private void ReceiveUntil(long moment)
    {
        long wait = Math.Min(moment - Clock.Now, LabSocket.WaitMilliseconds * Clock.Millisecond);
        if (wait <= 0) return;
        timespec timeout = new() { tv_nsec = wait };
        pollfd ready = new() { fd = _socket.Fd, events = Libc.POLLIN };
        if (Libc.ppoll(&ready, 1, &timeout, null) <= 0) return;
        SysResult got = SysResult.From(Libc.recvfrom(_socket.Fd, _reply, 65_536, Libc.MSG_DONTWAIT, null, null));
        long now = Clock.Now;
        if (got.IsError)
        {
            if (!LabSocket.IsTransient(got.Errno)) throw LabSocket.Failure("receive", got);
            return;
        }
        var header = (ProbeHeader*)_reply;
        if (got.Value != _size || !header->IsOurs || header->Kind != ProbeKind.EchoReply || header->Sender != _sender || header->Sequence >= (ulong)_sent) return;
        long known = _tracker.Unique;
        _tracker.Add(header->Sequence);
        if (_tracker.Unique > known) _histogram.Record(now - header->Stamp);
    }

    private RttProbeResult Result(IPEndPoint remote, long interval) => _histogram.Count == 0
        ? throw new AgentException($"no answer from {remote} to {_sent} requests")
        : new RttProbeResult
        {
            Role = "rtt-probe",
            Size = _size,
            IntervalNs = interval,
            Sent = _sent,
            Lost = _sent - _tracker.Unique,
            Reordered = _tracker.Reordered,
            Duplicate = _tracker.Duplicate,
            LatestNs = _latest,
            Rtt = LatencySummary.From(_histogram),
        };
}
