namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// Storage for per-endpoint counters, shared by all snapshots that descend from one table. Structs in chunks that never move: an
/// endpoint keeps its slot from snapshot to snapshot, so a worker may go on counting through an old one while a new one is
/// published. One object per counter set would cost as much memory and 200,000 objects for the collector to visit.
/// </summary>
internal sealed class CounterPool
{
    /// <summary>Slots of a chunk. 10 KiB: small enough for one peer, and below the large-object heap.</summary>
    internal const int ChunkSlots = 256;

    /// <summary>
    /// Unused slots at both ends of each chunk, at least 128 bytes. Chunks of different workers may be neighbours on the heap, which
    /// aligns to 8 bytes only; x86 fetches cache lines of 64 bytes in pairs, so that is the distance at which writers disturb each other.
    /// </summary>
    internal const int Margin = 4;

    private readonly Lock _gate = new();
    private readonly List<WeakReference<EndpointCounters>> _snapshots = [];
    private readonly Stack<int> _free = new();
    private PeerCounters[][][] _chunks;
    private int _slots;
    private int _sweepAt = ChunkSlots;

    internal CounterPool(int workers)
    {
        _chunks = new PeerCounters[workers][][];
        Array.Fill(_chunks, []);
    }

    internal int Workers => _chunks.Length;

    /// <summary>Slots for which there is memory.</summary>
    internal int Capacity => _chunks[0].Length * ChunkSlots;

    /// <summary>The chunk a worker's slot lies in, for tests of the layout.</summary>
    internal PeerCounters[] ChunkOf(int worker, int slot) => _chunks[worker][slot / ChunkSlots];

    /// <summary>Gives every endpoint whose slot is -1 a slot with counters of zero. Takes over the array.</summary>
    internal EndpointCounters Assign(int[] slots)
    {
        lock (_gate)
        {
            int needed = slots.AsSpan().Count(-1);
            if (needed > _free.Count && _slots + needed - _free.Count > _sweepAt) Sweep(slots, needed);
            Grow(_slots + Math.Max(0, needed - _free.Count));
            for (int i = 0; i < slots.Length; i++)
            {
                if (slots[i] < 0) slots[i] = TakeOne();
            }
            var counters = new EndpointCounters(this, slots, _chunks);
            _snapshots.RemoveAll(static s => !s.TryGetTarget(out _));
            _snapshots.Add(new(counters));
            return counters;
        }
    }

    private int TakeOne()
    {
        if (!_free.TryPop(out int slot)) return _slots++;
        foreach (PeerCounters[][] worker in _chunks) worker[slot / ChunkSlots][slot % ChunkSlots + Margin] = default;
        return slot;
    }

    /// <summary>
    /// Finds the slots that no snapshot names any more. The garbage collector decides that, because it alone knows when the last
    /// worker has let go of a snapshot; a count or a delay here would be a guess. Runs when the pool has doubled since it last did.
    /// </summary>
    private void Sweep(ReadOnlySpan<int> inherited, int needed)
    {
        var used = new bool[_slots];
        Mark(inherited, used);
        foreach (WeakReference<EndpointCounters> snapshot in _snapshots)
        {
            if (snapshot.TryGetTarget(out EndpointCounters? counters)) Mark(counters.Slots, used);
        }
        _free.Clear();
        for (int slot = _slots - 1; slot >= 0; slot--)
        {
            if (!used[slot]) _free.Push(slot);
        }
        _sweepAt = Math.Max(ChunkSlots, 2 * (_slots - _free.Count + needed));
    }

    private static void Mark(ReadOnlySpan<int> slots, bool[] used)
    {
        foreach (int slot in slots)
        {
            if (slot >= 0) used[slot] = true;
        }
    }

    /// <summary>Snapshots keep the arrays they were given, so a longer list of chunks is a new list of the same chunks and more.</summary>
    private void Grow(int slots)
    {
        int chunks = (slots + ChunkSlots - 1) / ChunkSlots;
        if (chunks <= _chunks[0].Length) return;
        var grown = new PeerCounters[Workers][][];
        for (int worker = 0; worker < grown.Length; worker++)
        {
            PeerCounters[][] list = grown[worker] = new PeerCounters[chunks][];
            _chunks[worker].CopyTo(list, 0);
            for (int i = _chunks[worker].Length; i < chunks; i++) list[i] = new PeerCounters[ChunkSlots + 2 * Margin];
        }
        _chunks = grown;
    }
}
