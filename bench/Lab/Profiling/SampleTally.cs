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
    private readonly Dictionary<string, (long All, long InKernel)> _threads = [];
    private readonly Dictionary<string, long> _calls = [];

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
            string name = isDaemon ? Daemons : stack[0].Name;
            (long all, long inKernel) = _threads.GetValueOrDefault(name);
            _threads[name] = (all + 1, inKernel + (kind == FrameKind.Kernel ? 1 : 0));
        }
        if (isDaemon && SystemCall(stack) is { } call) _calls[call] = _calls.GetValueOrDefault(call) + 1;
    }

    /// <summary>Samples whose innermost frame is of a kind, percent of all.</summary>
    internal double Percent(FrameKind kind) => Percent(_kinds[(int)kind]);

    /// <summary>Threads by name, the contender's processes together, the most samples first; without what was idle.</summary>
    internal IReadOnlyList<ThreadShare> Threads() =>
    [
        .. _threads.OrderByDescending(t => t.Value.All).ThenBy(t => t.Key, StringComparer.Ordinal).Take(Kept)
            .Select(t => new ThreadShare(t.Key, Percent(t.Value.All), Percent(t.Value.InKernel))).Where(t => t.Percent >= Least),
    ];

    /// <summary>System calls of the contender's processes with everything the kernel did in them, the most samples first.</summary>
    internal IReadOnlyList<SystemCallShare> SystemCalls() =>
    [
        .. _calls.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(Kept)
            .Select(c => new SystemCallShare(c.Key, Percent(c.Value))).Where(c => c.Percent >= Least),
    ];

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
}
