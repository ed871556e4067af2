namespace FlannelFast.Lab.Reports;

/// <summary>What threads of one name did, percent of the machine.</summary>
/// <param name="Name">Their name; "daemons" are all of the contender's processes.</param>
/// <param name="Percent">Everything.</param>
/// <param name="KernelPercent">Of it in the kernel.</param>
internal sealed record ThreadShare(string Name, double Percent, double KernelPercent);
