namespace FlannelFast.Control.Subnets.Directories;

/// <summary>When a lease of a directory ends, on both clocks a machine has. Made and read by <see cref="StoreClock"/>.</summary>
/// <param name="TimeToLive">What it was given, above zero.</param>
/// <param name="ClockId">Which monotonic clock <paramref name="MonotonicEnd"/> is a reading of.</param>
/// <param name="MonotonicEnd">Since that clock's zero.</param>
/// <param name="WallEnd">By the calendar, in UTC.</param>
internal sealed record LeaseDeadline(TimeSpan TimeToLive, string ClockId, TimeSpan MonotonicEnd, DateTimeOffset WallEnd);
