namespace FlannelFast.Lab.Statistics;

/// <summary>What a <see cref="RateSearch"/> found.</summary>
/// <param name="Rate">The highest rate that passed and, if <paramref name="Confirmed"/>, passed again; 0 if none did.</param>
/// <param name="Loss">The greatest loss of the passing trials at that rate.</param>
/// <param name="Confirmed">Passed all confirmations. False only when the trials ran out.</param>
/// <param name="AtCeiling">It is the highest rate that could be asked for: the real limit may lie above.</param>
/// <param name="Trials">Every trial, in order.</param>
internal sealed record RateSearchResult(long Rate, double Loss, bool Confirmed, bool AtCeiling, IReadOnlyList<RateTrial> Trials);
