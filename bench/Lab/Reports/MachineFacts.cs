using System.Globalization;

namespace FlannelFast.Lab.Reports;

/// <summary>What was measured on.</summary>
/// <param name="Kernel">uname -r.</param>
/// <param name="Processor">Model name.</param>
/// <param name="Cores">Processors the program may use.</param>
/// <param name="MemoryMib">Physical memory.</param>
/// <param name="Architecture">x64 or arm64.</param>
/// <param name="DefaultCongestion">What TCP uses where a workload names none; the workloads of the lab name theirs.</param>
/// <param name="LoadBefore">Load average of the last minute when the run began: well above 0 means that others were busy.</param>
internal sealed record MachineFacts(
    string Kernel, string Processor, int Cores, long MemoryMib, string Architecture, string DefaultCongestion, double LoadBefore)
{
    /// <summary>Looks at this machine.</summary>
    internal static MachineFacts Read() => new(
        First("/proc/sys/kernel/osrelease"),
        // arm64 has no model name in cpuinfo; "CPU part" would need a table.
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown",
        Environment.ProcessorCount,
        long.Parse(First("/proc/meminfo").Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024,
        System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        First("/proc/sys/net/ipv4/tcp_congestion_control"),
        double.Parse(First("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));

    private static string First(string path) => File.ReadLines(path).FirstOrDefault()?.Trim() ?? "unknown";
}
