namespace FlannelFast.Control.Subnets;

/// <summary>How a store was followed since the daemon started, for <c>status</c>.</summary>
/// <param name="IsReachable">The last call was answered.</param>
/// <param name="SinceLastList">Age of the last full read; null before the first.</param>
/// <param name="LastFailure">Why a call was not answered, the last time that happened; null if it never did.</param>
/// <param name="Lists">Full reads.</param>
/// <param name="Changes">Single changes applied.</param>
/// <param name="StaleChanges">Changes that came twice, late or out of order, and were passed over.</param>
/// <param name="Failures">Calls without an answer and watches that broke.</param>
/// <param name="HistoryLost">How often changes could not be had any more (compaction).</param>
/// <param name="RevisionsBackwards">Full reads older than what had been seen before.</param>
/// <param name="BadKeys">Keys that name no subnet, each counted once for each of its revisions.</param>
/// <param name="BadValues">Values that are no lease, likewise.</param>
/// <param name="BadLeases">Leases that break a rule of the network, likewise.</param>
/// <param name="Contested">Leases not used now because they contradict another.</param>
internal sealed record StoreStatistics(
    bool IsReachable, TimeSpan? SinceLastList, string? LastFailure, long Lists, long Changes, long StaleChanges, long Failures, long HistoryLost,
    long RevisionsBackwards, long BadKeys, long BadValues, long BadLeases, int Contested);
