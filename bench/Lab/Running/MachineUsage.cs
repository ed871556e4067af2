using System.Globalization;
using FlannelFast.Lab.Hosting;

namespace FlannelFast.Lab.Running;

/// <summary>Processor time and context switches so far; two readings are subtracted.</summary>
internal readonly record struct MachineUsage(double DaemonSeconds, double MachineSeconds, long DaemonSwitches, long MachineSwitches)
{
    /// <summary>Reads the counters of the machine and of some processes.</summary>
    internal static MachineUsage Read(IReadOnlyList<int> daemons)
    {
        double busy = 0;
        long switches = 0;
        foreach (string line in File.ReadLines("/proc/stat"))
        {
            if (line.StartsWith("cpu ", StringComparison.Ordinal)) busy = Busy(line);
            else if (line.StartsWith("ctxt ", StringComparison.Ordinal)) switches = long.Parse(line.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture);
        }
        return new(daemons.Sum(ProcessTable.ProcessorSeconds), busy, daemons.Sum(ProcessTable.ContextSwitches), switches);
    }

    /// <summary>What was used between two readings. Threads that ended in between took their counts with them, but nobody used less than nothing.</summary>
    public static MachineUsage operator -(MachineUsage later, MachineUsage earlier) => new(
        Math.Max(0, later.DaemonSeconds - earlier.DaemonSeconds), later.MachineSeconds - earlier.MachineSeconds,
        Math.Max(0, later.DaemonSwitches - earlier.DaemonSwitches), later.MachineSwitches - earlier.MachineSwitches);

    /// <summary>Both together.</summary>
    public static MachineUsage operator +(MachineUsage one, MachineUsage other) => new(
        one.DaemonSeconds + other.DaemonSeconds, one.MachineSeconds + other.MachineSeconds,
        one.DaemonSwitches + other.DaemonSwitches, one.MachineSwitches + other.MachineSwitches);

    // "cpu  user nice system idle iowait irq softirq steal guest guest_nice" (proc_stat(5)). guest is part of user; steal was
    // not ours to use.
    private static double Busy(string line)
    {
        long[] ticks = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(t => long.Parse(t, NumberStyles.None, CultureInfo.InvariantCulture))];
        return (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ProcessTable.TicksPerSecond;
    }
}
