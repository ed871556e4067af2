namespace FlannelFast.Control.Subnets;

/// <summary>How it stands with this host's lease, for <c>status</c>.</summary>
/// <param name="Own">The lease as it was last confirmed.</param>
/// <param name="IsHeld">False from the moment its loss is known until it is taken again.</param>
/// <param name="ExpiresIn">Until its end, negative once that is past; null for a reservation.</param>
/// <param name="NextAttemptIn">Until the next renewal or retry; null where none is due.</param>
/// <param name="SinceConfirmed">Since the store last confirmed it.</param>
/// <param name="FailedAttempts">Attempts since then that the store did not answer.</param>
/// <param name="LastFailure">Why the last of these was not answered; null where the last one was.</param>
/// <param name="Renewals">Confirmed renewals since the start, republications among them.</param>
/// <param name="Reacquisitions">How often the lease was lost and taken again.</param>
internal sealed record LeaseKeeperStatus(
    Lease Own, bool IsHeld, TimeSpan? ExpiresIn, TimeSpan? NextAttemptIn, TimeSpan SinceConfirmed, int FailedAttempts, string? LastFailure, long Renewals,
    long Reacquisitions);
