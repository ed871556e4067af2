namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>A reading of the reconciler, for <c>status</c>.</summary>
/// <param name="Leases">Leases known, our own among them.</param>
/// <param name="IsComplete">The store has told all of them at least once; before that nothing is applied.</param>
/// <param name="Applies">How often they were applied, audits among it.</param>
/// <param name="SinceLastApply">Since the last one ended; null before the first.</param>
/// <param name="LastDuration">How long it took.</param>
/// <param name="Changes">Things made, changed or removed, since the start.</param>
/// <param name="FailedApplies">Applies in which something could not be done, since the start.</param>
/// <param name="Failures">What could not be done at the last one; a sentence each.</param>
internal sealed record ReconcilerStatus(
    int Leases, bool IsComplete, long Applies, TimeSpan? SinceLastApply, TimeSpan LastDuration, long Changes, long FailedApplies, IReadOnlyList<string> Failures);
