using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Profiling;

/// <summary>Counts samples by what they were in: whose code, which thread, which system call of a daemon.</summary>
internal sealed class SampleTally
{
    /// <summary>What the contender's own processes are called together.</summary>
    internal const string Daemons = "daemons";

    // Whoever has less is not worth a word.
    private const double Least = 0.1;

    private const int Kept = 6;

    private static readonly string[] s_prefixes = ["__x64_sys_", "__arm64_sys_", "__ia32_sys_", "__do_sys_", "__se_sys_", "__sys_", "ksys_", "do_"];

    private readonly long[] _kinds = new long[Enum.GetValues<FrameKind>().Length];
    private readonly Dictionary<string, Part> _threads = [], _calls = [];

    /// <summary>Samples.</summary>
    internal long Count { get; private set; }

    /// <summary>Counts one.</summary>
    /// <param name="stack">The thread, then its frames, the outermost caller first.</param>
    /// <param name="isDaemon">Whether it is of one of the contender's processes.</param>
    internal void Add(ReadOnlySpan<Frame> stack, bool isDaemon)
    {
        Count++;
        FrameKind kind = stack[^1].Kind;
        _kinds[(int)kind]++;
        if (kind != FrameKind.Idle)
        {
            Part thread = Of(_threads, isDaemon ? Daemons : stack[0].Name);
            thread.All++;
            if (kind == FrameKind.Kernel) thread.InKernel++;
        }
        if (isDaemon && SystemCall(stack) is { } call) Of(_calls, call).All++;
    }

    /// <summary>Samples whose innermost frame is of a kind, percent of all.</summary>
    internal double Percent(FrameKind kind) => Percent(_kinds[(int)kind]);

    /// <summary>Threads by name, the contender's processes together, the most samples first; without what was idle.</summary>
    internal IReadOnlyList<ThreadShare> Threads() => [.. Largest(_threads).Select(t => new ThreadShare(t.Name, Percent(t.All), Percent(t.InKernel)))];

    /// <summary>System calls of the contender's processes with everything the kernel did in them, the most samples first.</summary>
    internal IReadOnlyList<SystemCallShare> SystemCalls() => [.. Largest(_calls).Select(c => new SystemCallShare(c.Name, Percent(c.All)))];

    private static Part Of(Dictionary<string, Part> parts, string name)
    {
        if (!parts.TryGetValue(name, out Part? part)) parts.Add(name, part = new(name));
        return part;
    }

    // Not OrderBy and ThenBy: each key of another type costs tens of kilobytes of specialised code.
    private List<Part> Largest(Dictionary<string, Part> parts)
    {
        var all = new List<Part>(parts.Values);
        all.RemoveAll(p => Percent(p.All) < Least);
        all.Sort((one, other) => one.All != other.All ? other.All.CompareTo(one.All) : string.CompareOrdinal(one.Name, other.Name));
        if (all.Count > Kept) all.RemoveRange(Kept, all.Count - Kept);
        return all;
    }

    // Behind the entry stands "__x64_sys_sendmmsg" or "__arm64_sys_sendmmsg" (arch/*/include/asm/syscall_wrapper.h), unless that has ended by a jump into what does the work,
    // such as "do_writev" or "ksys_read". Newer kernels have the switch "x64_sys_call" in between. What is neither is the entry's own work.
    private static string? SystemCall(ReadOnlySpan<Frame> stack)
    {
        for (int i = 0; i + 1 < stack.Length; i++)
        {
            if (stack[i].Name is not ("do_syscall_64" or "x64_sys_call" or "invoke_syscall")) continue;
            string name = stack[i + 1].Name;
            if (name is "x64_sys_call") continue;
            foreach (string prefix in s_prefixes)
            {
                if (name.StartsWith(prefix, StringComparison.Ordinal)) return name[prefix.Length..];
            }
            return null;
        }
        return null;
    }

    private double Percent(long samples) => Count == 0 ? 0 : Math.Round(100.0 * samples / Count, 2);

    private sealed class Part(string name)
    {
        internal string Name { get; } = name;

        internal long All { get; set; }

        internal long InKernel { get; set; }
    }
}
