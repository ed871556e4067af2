namespace FlannelFast.Control.Subnets;

/// <summary>Counts what <see cref="StoreStatistics"/> shows. Written by the watch, read by anybody.</summary>
internal sealed class StoreCounters(TimeProvider time)
{
    private readonly Lock _lock = new();
    private long? _listedAt;
    private StoreStatistics _current = new(false, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    internal StoreStatistics Read()
    {
        lock (_lock) return _current with { SinceLastList = _listedAt is { } at ? time.GetElapsedTime(at) : null };
    }

    internal void Listed(int contested) => Update(s =>
    {
        _listedAt = time.GetTimestamp();
        return s with { IsReachable = true, Lists = s.Lists + 1, Contested = contested };
    });

    internal void Changed(int contested) => Update(s => s with { IsReachable = true, Changes = s.Changes + 1, Contested = contested });

    internal void PassedOver() => Update(s => s with { StaleChanges = s.StaleChanges + 1 });

    internal void Failed(string reason) => Update(s => s with { IsReachable = false, Failures = s.Failures + 1, LastFailure = reason });

    internal void LostHistory() => Update(s => s with { HistoryLost = s.HistoryLost + 1 });

    internal void WentBackwards() => Update(s => s with { RevisionsBackwards = s.RevisionsBackwards + 1 });

    internal void Refused(RefusalKind kind) => Update(s => kind switch
    {
        RefusalKind.Key => s with { BadKeys = s.BadKeys + 1 },
        RefusalKind.Value => s with { BadValues = s.BadValues + 1 },
        _ => s with { BadLeases = s.BadLeases + 1 },
    });

    private void Update(Func<StoreStatistics, StoreStatistics> change)
    {
        lock (_lock) _current = change(_current);
    }
}
