using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Says once that the store is away and once that it is back, and nothing of a single failure that the next attempt made good. An outage that goes
/// on is repeated every ten minutes; a store that comes and goes is spoken of no more often than that.
/// </summary>
internal sealed class OutageReport(TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(10);

    private long? _since;
    private long? _saidAt;
    private long? _historySaidAt;
    private bool _isAnnounced;

    /// <summary>Failures since the last success.</summary>
    internal int Failures { get; private set; }

    internal void Failed(string reason)
    {
        _since ??= time.GetTimestamp();
        Failures++;
        if (Failures == 1 || !MaySpeak(ref _saidAt)) return;
        _isAnnounced = true;
        log.StoreAway(reason);
    }

    internal void LostHistory(string reason)
    {
        if (MaySpeak(ref _historySaidAt)) log.HistoryLost(reason);
    }

    internal void Succeeded()
    {
        if (_isAnnounced) log.StoreBack((long)time.GetElapsedTime(_since!.Value).TotalSeconds);
        (_since, _isAnnounced, Failures) = (null, false, 0);
    }

    private bool MaySpeak(ref long? saidAt)
    {
        if (saidAt is { } at && time.GetElapsedTime(at) < s_silence) return false;
        saidAt = time.GetTimestamp();
        return true;
    }
}
