using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// The counters of one snapshot's endpoints: where each has its slot in the pool's chunks. Immutable; what it points at is shared
/// with the snapshots before and after. The pool gives a slot to somebody else only after every object that names it was collected.
/// </summary>
internal sealed class EndpointCounters
{
    private readonly int[] _slots;
    private readonly PeerCounters[][][] _chunks;

    /// <param name="pool">The pool that assigned the slots.</param>
    /// <param name="slots">A slot for each endpoint.</param>
    /// <param name="chunks">By worker, then by chunk.</param>
    internal EndpointCounters(CounterPool pool, int[] slots, PeerCounters[][][] chunks) => (Pool, _slots, _chunks) = (pool, slots, chunks);

    internal CounterPool Pool { get; }

    internal ReadOnlySpan<int> Slots => _slots;

    /// <summary>What one worker counts for one endpoint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref PeerCounters At(int worker, int endpoint)
    {
        int slot = _slots[endpoint];
        return ref _chunks[worker][slot / CounterPool.ChunkSlots][slot % CounterPool.ChunkSlots + CounterPool.Margin];
    }

    /// <summary>A reading of one endpoint, summed over all workers.</summary>
    internal PeerCounters Sum(int endpoint)
    {
        PeerCounters sum = default;
        for (int worker = 0; worker < _chunks.Length; worker++) sum.AddReading(in At(worker, endpoint));
        return sum;
    }
}
