namespace FlannelFast.Lab.Traffic;

/// <summary>
/// Follows the sequence numbers of one sender: which arrived, which arrived again, which arrived late. Exact as long as nothing
/// is later than <see cref="Window"/> packets; what is, counts as stale, neither unique nor duplicate, because it cannot be told.
/// </summary>
internal sealed class SequenceTracker
{
    /// <summary>Packets that are remembered: more than half a second at the highest rates, in 128 KiB.</summary>
    internal const int Window = 1 << 20;

    private readonly ulong[] _seen = new ulong[Window / 64];
    private readonly ulong _limit;
    private ulong _nextExpected;

    /// <param name="limit">Sequence numbers from here on are refused: one corrupt number must not push the window over all others.</param>
    internal SequenceTracker(ulong limit = 1UL << 62) => _limit = limit;

    /// <summary>Different sequence numbers that arrived.</summary>
    internal long Unique { get; private set; }

    /// <summary>Arrivals of a number that had arrived.</summary>
    internal long Duplicate { get; private set; }

    /// <summary>
    /// Numbers that arrived after a greater one (RFC 4737 section 3.3: a packet is reordered if it is less than the next expected
    /// one). Duplicates are not looked at, as section 3.3 asks.
    /// </summary>
    internal long Reordered { get; private set; }

    /// <summary>The furthest that one came behind the greatest number seen, in sequence numbers; 0 without reordering.</summary>
    internal long ReorderDistance { get; private set; }

    /// <summary>Arrivals so late that the window has passed over them.</summary>
    internal long Stale { get; private set; }

    /// <summary>Arrivals with a number that cannot be.</summary>
    internal long Invalid { get; private set; }

    /// <summary>Takes one arrival.</summary>
    internal void Add(ulong sequence)
    {
        if (sequence >= _limit)
        {
            Invalid++;
        }
        else if (sequence >= _nextExpected)
        {
            Advance(sequence + 1);
            Mark(sequence);
            Unique++;
        }
        else if (_nextExpected - sequence > Window)
        {
            Stale++;
        }
        else if (IsMarked(sequence))
        {
            Duplicate++;
        }
        else
        {
            Mark(sequence);
            Unique++;
            Reordered++;
            ReorderDistance = Math.Max(ReorderDistance, (long)(_nextExpected - 1 - sequence));
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Reset()
    {
        Array.Clear(_seen);
        (_nextExpected, Unique, Duplicate, Reordered, ReorderDistance, Stale, Invalid) = (0, 0, 0, 0, 0, 0, 0);
    }

    private bool IsMarked(ulong sequence) => (_seen[(sequence % Window) / 64] >> (int)(sequence % 64) & 1) != 0;

    private void Mark(ulong sequence) => _seen[(sequence % Window) / 64] |= 1UL << (int)(sequence % 64);

    // The ring's places between the old and the new end still hold what was seen one window ago.
    private void Advance(ulong next)
    {
        if (next - _nextExpected >= Window)
        {
            Array.Clear(_seen);
            _nextExpected = next;
            return;
        }
        while (_nextExpected < next)
        {
            int bit = (int)(_nextExpected % 64);
            int count = (int)Math.Min(next - _nextExpected, (ulong)(64 - bit));
            ulong mask = count == 64 ? ulong.MaxValue : ((1UL << count) - 1) << bit;
            _seen[(_nextExpected % Window) / 64] &= ~mask;
            _nextExpected += (ulong)count;
        }
    }
}
