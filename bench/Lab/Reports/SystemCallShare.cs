namespace FlannelFast.Lab.Reports;

/// <summary>What a system call of the daemons took with all that the kernel did in it, percent of the machine.</summary>
internal sealed record SystemCallShare(string Name, double Percent);
