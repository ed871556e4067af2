namespace FlannelFast.Lab.Tests.Traffic;

/// <summary>The obvious twin of the sequence tracker: remembers everything in a set.</summary>
internal sealed class NaiveTracker
{
    private readonly HashSet<ulong> _seen = [];
    private ulong _next;

    internal long Unique => _seen.Count;

    internal long Duplicate { get; private set; }

    internal long Reordered { get; private set; }

    internal long ReorderDistance { get; private set; }

    internal void Add(ulong sequence)
    {
        if (!_seen.Add(sequence))
        {
            Duplicate++;
            return;
        }
        if (sequence < _next)
        {
            Reordered++;
            ReorderDistance = Math.Max(ReorderDistance, (long)(_next - 1 - sequence));
        }
        _next = Math.Max(_next, sequence + 1);
    }
}
