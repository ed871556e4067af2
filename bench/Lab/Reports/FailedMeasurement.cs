namespace FlannelFast.Lab.Reports;

/// <summary>A measurement that gave no result. It makes the run fail, but not its other measurements worthless.</summary>
internal sealed record FailedMeasurement(string Workload, string Contender, int Round, string Message);
