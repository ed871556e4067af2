namespace FlannelFast.Lab.Reports;

/// <summary>What one contender dropped in one workload for one reason, all rounds together.</summary>
internal sealed record DropTotal(string Workload, string Contender, string Reason, long Count);
