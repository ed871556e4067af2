using System.Globalization;
using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support.Crowd;

/// <summary>What a process has used so far, from /proc (proc(5)).</summary>
/// <param name="Processor">Time of all its threads, user and kernel.</param>
/// <param name="Resident">Memory in use now, in MB.</param>
/// <param name="Peak">The most it ever was, in MB.</param>
internal readonly partial record struct ProcessUsage(TimeSpan Processor, double Resident, double Peak)
{
    /// <summary>Reads it.</summary>
    public static ProcessUsage Of(int pid)
    {
        string status = File.ReadAllText($"/proc/{pid}/status");
        using var process = System.Diagnostics.Process.GetProcessById(pid);
        return new(process.TotalProcessorTime, Megabytes(CurrentResident(), status), Megabytes(PeakResident(), status));
    }

    /// <inheritdoc />
    public override string ToString() => $"{Resident:0} MB resident, {Peak:0} MB at most";

    private static double Megabytes(Regex line, string status) => int.Parse(line.Match(status).Groups[1].Value, CultureInfo.InvariantCulture) * 1024 / 1e6;

    [GeneratedRegex(@"VmRSS:\s+(\d+) kB")]
    private static partial Regex CurrentResident();

    [GeneratedRegex(@"VmHWM:\s+(\d+) kB")]
    private static partial Regex PeakResident();
}
