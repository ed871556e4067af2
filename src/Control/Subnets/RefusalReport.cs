using FlannelFast.Control.Tunnels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Reports what is not used, once for each key and revision, and at most <see cref="LinesPerRound"/> lines between two full reads: ten thousand
/// foreign keys must not fill a disk. One thread at a time.
/// </summary>
internal sealed class RefusalReport(ILogger log, StoreCounters counters)
{
    private const int LinesPerRound = 20;

    private readonly Dictionary<(string Key, RefusalKind Kind), long> _reported = [];
    private int _linesLeft = LinesPerRound;
    private int _unsaid;

    /// <summary>Takes note of a key that is not used.</summary>
    /// <param name="key">Its name, whatever is in it.</param>
    /// <param name="modRevision">Which of its contents is meant.</param>
    /// <param name="kind">What is wrong.</param>
    /// <param name="reason">The end of a sentence that begins with the key.</param>
    internal void Add(string key, long modRevision, RefusalKind kind, string reason)
    {
        if (_reported.TryGetValue((key, kind), out long known) && known == modRevision) return;
        _reported[(key, kind)] = modRevision;
        counters.Refused(kind);
        if (_linesLeft == 0)
        {
            _unsaid++;
            return;
        }
        _linesLeft--;
        log.KeyRefused(InvalidInputException.Quote(key), reason);
    }

    /// <summary>Ends a round: forgets keys that are not there any more, and says how much was not said.</summary>
    internal void EndRound(Func<string, bool> isPresent)
    {
        foreach ((string Key, RefusalKind Kind) reported in _reported.Keys)
            if (!isPresent(reported.Key)) _reported.Remove(reported);
        if (_unsaid > 0) log.MoreKeysRefused(_unsaid);
        (_unsaid, _linesLeft) = (0, LinesPerRound);
    }
}
