using System.Globalization;

namespace FlannelFast.Lab.Hosting;

/// <summary>What /proc tells of processes (proc_pid_stat(5), proc_pid_status(5)).</summary>
internal static class ProcessTable
{
    /// <summary>USER_HZ: the unit of times in /proc, 100 on every Linux that .NET runs on.</summary>
    internal const double TicksPerSecond = 100;

    /// <summary>When a process started, in ticks since boot: with the id it names a process for ever. Null if it is gone.</summary>
    internal static long? StartTime(int pid) => Stat(pid) is { } stat ? Field(stat, 22) : null;

    /// <summary>
    /// Processor time of all threads, user and kernel, in seconds; 0 if it is gone. From the scheduler's own nanoseconds where the kernel tells
    /// them (schedstat, Documentation/scheduler/sched-stats.rst): a hundredth of a second is much in a measurement of a fifth.
    /// </summary>
    internal static double ProcessorSeconds(int pid)
    {
        double nanoseconds = 0;
        foreach (string thread in Entries($"/proc/{pid}/task"))
        {
            // "run time, wait time, timeslices"; without CONFIG_SCHED_INFO there is no such file.
            if (ReadLines($"{thread}/schedstat") is [var line, ..]) nanoseconds += long.Parse(line.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture);
        }
        return nanoseconds > 0 ? nanoseconds / 1e9 : Stat(pid) is { } stat ? (Field(stat, 14) + Field(stat, 15)) / TicksPerSecond : 0;
    }

    /// <summary>Memory that is really there, bytes; 0 if it is gone.</summary>
    internal static long ResidentBytes(int pid)
    {
        // "VmRSS:     1234 kB"
        string? line = ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? 0 : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>Voluntary and involuntary context switches of all its threads; 0 if it is gone.</summary>
    internal static long ContextSwitches(int pid)
    {
        long sum = 0;
        foreach (string thread in Entries($"/proc/{pid}/task"))
        {
            foreach (string line in ReadLines($"{thread}/status"))
            {
                // "voluntary_ctxt_switches:\t12" and "nonvoluntary_ctxt_switches:\t3"
                if (line.Contains("voluntary_ctxt_switches:", StringComparison.Ordinal))
                    sum += long.Parse(line.AsSpan(line.IndexOf(':') + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
            }
        }
        return sum;
    }

    /// <summary>A process and everything that descends from it, the process itself first.</summary>
    internal static List<int> WithDescendants(int pid)
    {
        var parents = new List<(int Pid, int Parent)>();
        foreach (string entry in Entries("/proc"))
        {
            if (int.TryParse(Path.GetFileName(entry), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && Stat(id) is { } stat)
                parents.Add((id, (int)Field(stat, 4)));
        }
        var family = new List<int> { pid };
        for (int i = 0; i < family.Count; i++) family.AddRange(parents.Where(p => p.Parent == family[i]).Select(p => p.Pid));
        return family;
    }

    /// <summary>
    /// Whether a socket is bound to a port in the network namespace of a process, listening if it is TCP. Read from
    /// /proc/PID/net, so nothing is sent that a measurement could count.
    /// </summary>
    internal static bool IsBound(int pid, bool tcp, int port)
    {
        string suffix = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        foreach (string line in ReadLines($"/proc/{pid}/net/{(tcp ? "tcp" : "udp")}").Skip(1))
        {
            // "sl local_address rem_address st …"; 0A is TCP_LISTEN (include/net/tcp_states.h).
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 3 && fields[1].EndsWith(suffix, StringComparison.Ordinal) && (!tcp || fields[3] == "0A")) return true;
        }
        return false;
    }

    private static string? Stat(int pid)
    {
        string? stat = ReadLines($"/proc/{pid}/stat").FirstOrDefault();
        // A zombie has ended; only its parent has not looked yet.
        return stat is null || Fields(stat)[0] is "Z" or "X" ? null : stat;
    }

    // Numbered as in proc_pid_stat(5). The name, field 2, stands in parentheses and may hold spaces and parentheses itself.
    private static long Field(string stat, int number) => long.Parse(Fields(stat)[number - 3], CultureInfo.InvariantCulture);

    private static string[] Fields(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ');

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended between two looks, which is an answer, not an error (reads of a dying one fail with ESRCH).
            return [];
        }
    }

    private static string[] Entries(string path)
    {
        try
        {
            return Directory.GetDirectories(path);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
