namespace FlannelFast.Lab.Reports;

/// <summary>A workload of a run.</summary>
/// <param name="Id">Name.</param>
/// <param name="Title">For people.</param>
/// <param name="Seconds">Of one measurement, or of one step of a search.</param>
/// <param name="IsPrecise">Whether the intervals became as narrow as asked before time or rounds ran out.</param>
internal sealed record WorkloadFacts(string Id, string Title, double Seconds, bool IsPrecise);
