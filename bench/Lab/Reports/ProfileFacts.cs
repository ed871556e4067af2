namespace FlannelFast.Lab.Reports;

/// <summary>A profile of one contender at one workload, from a round that is in no figure. Shares are percent of all processors over its time.</summary>
/// <param name="Workload">Name of the workload.</param>
/// <param name="Contender">Name of the contender.</param>
/// <param name="FlameGraph">Path of the picture.</param>
/// <param name="Samples">How many there are.</param>
/// <param name="OwnPercent">FlannelFast's own code, traffic programs included.</param>
/// <param name="KernelPercent">The kernel, without its idle loop.</param>
/// <param name="LibraryPercent">libc, the .NET runtime, other programs.</param>
/// <param name="IdlePercent">The kernel's idle loop.</param>
/// <param name="Threads">Who used the time, the most first.</param>
/// <param name="SystemCalls">What the daemons spent in system calls, the most first.</param>
internal sealed record ProfileFacts(
    string Workload, string Contender, string FlameGraph, long Samples, double OwnPercent, double KernelPercent, double LibraryPercent, double IdlePercent,
    IReadOnlyList<ThreadShare> Threads, IReadOnlyList<SystemCallShare> SystemCalls);
