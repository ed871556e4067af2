using FlannelFast.Dataplane.Memory;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// Frames that are under way, first in, first out, in one ring of memory outside the heap. One thread; nothing is allocated.
/// </summary>
internal sealed unsafe class DelayLine : IDisposable
{
    private const int RecordAlignment = 16;
    private const int Gap = -1;

    private readonly NativeSlab _slab;
    private readonly byte* _ring;
    private readonly long _capacity;

    // Positions only grow; the place in the ring is the remainder.
    private long _read, _written;

    /// <param name="capacity">Bytes of the ring, a multiple of 16, at most 2 GiB; a frame takes its own length and 16 to 31 more.</param>
    internal DelayLine(int capacity)
    {
        _capacity = capacity;
        _slab = new NativeSlab((nuint)capacity + 4096);
        _ring = _slab.Take<byte>(capacity);
    }

    private struct Record
    {
        internal long Due;
        internal int Length;
    }

    /// <summary>When the first frame has arrived; <see cref="long.MaxValue"/> if none is under way.</summary>
    internal long NextDue => _read == _written ? long.MaxValue : First()->Due;

    /// <summary>Takes a copy of a frame. False if there is no room.</summary>
    internal bool TryAdd(byte* frame, int length, long due)
    {
        long size = Size(length), place = _written % _capacity, toEnd = _capacity - place;
        // A frame stays in one piece: what is left before the end of the ring is skipped.
        long skipped = size > toEnd ? toEnd : 0;
        if (_written + skipped + size - _read > _capacity) return false;
        if (skipped > 0)
        {
            ((Record*)(_ring + place))->Length = Gap;
            _written += skipped;
            place = 0;
        }
        *(Record*)(_ring + place) = new Record { Due = due, Length = length };
        Buffer.MemoryCopy(frame, _ring + place + sizeof(Record), length, length);
        _written += size;
        return true;
    }

    /// <summary>Looks at a frame that has arrived, without removing it.</summary>
    /// <param name="position">0 for the first, then what the last call left there.</param>
    /// <param name="now">Frames due later are not there yet.</param>
    /// <param name="frame">Valid until <see cref="RemoveTo"/>.</param>
    /// <param name="length">Its bytes.</param>
    internal bool TryPeek(ref long position, long now, out byte* frame, out int length)
    {
        position = Math.Max(position, _read);
        frame = null;
        length = 0;
        if (position == _written) return false;
        var record = (Record*)(_ring + (position % _capacity));
        if (record->Length == Gap)
        {
            position += _capacity - (position % _capacity);
            record = (Record*)_ring;
        }
        if (record->Due > now) return false;
        frame = (byte*)record + sizeof(Record);
        length = record->Length;
        position += Size(length);
        return true;
    }

    /// <summary>Removes what <see cref="TryPeek"/> passed.</summary>
    internal void RemoveTo(long position) => _read = Math.Max(_read, position);

    public void Dispose() => _slab.Dispose();

    private Record* First()
    {
        var record = (Record*)(_ring + (_read % _capacity));
        return record->Length == Gap ? (Record*)_ring : record;
    }

    private static long Size(int length) => (sizeof(Record) + length + RecordAlignment - 1) & ~(RecordAlignment - 1);
}
