namespace FlannelFast.Lab.Traffic;

/// <summary>What a udp-sink keeps of one sender. Made before the measurement and used again for the next sender.</summary>
internal sealed class UdpSession
{
    private readonly SequenceTracker _tracker = new();
    private long _bytes, _first, _last;
    private uint _dropsAtHello;

    /// <summary>Whose it is; 0 is nobody.</summary>
    internal ulong Sender { get; private set; }

    /// <summary>What the sender says it sent; -1 before it asked for the report.</summary>
    internal long Sent { get; private set; }

    /// <summary>Gives the session to a sender.</summary>
    internal void Begin(ulong sender, uint socketDrops)
    {
        _tracker.Reset();
        (Sender, Sent, _bytes, _first, _last, _dropsAtHello) = (sender, -1, 0, 0, 0, socketDrops);
    }

    internal void Add(ulong sequence, uint length, long now)
    {
        if (_first == 0) _first = now;
        _last = now;
        _bytes += length;
        _tracker.Add(sequence);
    }

    internal DeliveryReport Report(ulong sent, uint socketDrops)
    {
        Sent = (long)sent;
        return new DeliveryReport
        {
            Header = ProbeHeader.Create(ProbeKind.Report, Sender, sent),
            Unique = _tracker.Unique,
            Duplicate = _tracker.Duplicate,
            Reordered = _tracker.Reordered,
            ReorderDistance = _tracker.ReorderDistance,
            Stale = _tracker.Stale,
            Invalid = _tracker.Invalid,
            Bytes = _bytes,
            Elapsed = _last - _first,
            // The kernel's counter is 32 bits wide and wraps.
            SocketDrops = socketDrops - _dropsAtHello,
        };
    }

    /// <summary>Adds this session to the totals of the sink.</summary>
    internal UdpSinkResult AddTo(UdpSinkResult total) => Sender == 0 ? total : total with
    {
        Senders = total.Senders + 1,
        Unique = total.Unique + _tracker.Unique,
        Duplicate = total.Duplicate + _tracker.Duplicate,
        Reordered = total.Reordered + _tracker.Reordered,
        Stale = total.Stale + _tracker.Stale,
        Lost = total.Lost + (Sent < 0 ? 0 : Sent - _tracker.Unique),
    };
}
