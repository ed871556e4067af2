namespace FlannelFast.Lab.Statistics;

/// <summary>One trial of a <see cref="RateSearch"/>.</summary>
/// <param name="Rate">Offered, per second.</param>
/// <param name="Loss">Share that did not arrive, 0 to 1. A trial whose sender fell behind its rate must say 1: it proves nothing.</param>
/// <param name="Passed">Loss was within the limit.</param>
internal readonly record struct RateTrial(long Rate, double Loss, bool Passed);
