namespace FlannelFast.Lab.Contenders;

/// <summary>How many peers that are never spoken to the kernel's tables have, and what has to be done to have another number.</summary>
internal sealed class SilentPeers
{
    // A batch cannot be interrupted.
    private const int Most = 2000;

    private int _count;

    /// <summary>Entries to make or to remove.</summary>
    /// <param name="Verb">"add", "replace" or "del", as ip and bridge say.</param>
    /// <param name="Numbers">Of the peers, 2,000 at most.</param>
    internal readonly record struct Step(string Verb, IEnumerable<int> Numbers);

    /// <summary>What has to be done to have those again that the kernel has thrown away.</summary>
    internal IEnumerable<Step> Again()
    {
        for (int first = 0; first < _count; first += Most) yield return new("replace", Enumerable.Range(first, Math.Min(Most, _count - first)));
    }

    /// <summary>Changes the number.</summary>
    /// <returns>What has to be done, nothing if it is the same.</returns>
    internal IEnumerable<Step> Change(int count)
    {
        while (_count < count)
        {
            int first = _count, added = Math.Min(Most, count - first);
            _count += added;
            yield return new("add", Enumerable.Range(first, added));
        }
        while (_count > Math.Max(count, 0))
        {
            int removed = Math.Min(Most, _count - Math.Max(count, 0));
            _count -= removed;
            yield return new("del", Enumerable.Range(_count, removed));
        }
    }
}
