using System.Globalization;

namespace FlannelFast.Lab.Profiling;

/// <summary>
/// Folds what <c>perf script -F comm,pid,ip,sym,dso</c> prints, line by line: for each sample the thread's name and the process id, then a frame a line, the innermost
/// first, then an empty line.
/// </summary>
/// <param name="daemons">Process ids of the contender's daemons.</param>
internal sealed class StackFolder(IReadOnlyCollection<int> daemons)
{
    // The kernel records 127 unless told otherwise (kernel.perf_event_max_stack).
    private const int DeepestStack = 1024;

    private readonly HashSet<int> _daemons = [.. daemons];
    private readonly FrameTable _table = new();
    private readonly List<Frame> _frames = [];
    private readonly SampleTally _tally = new();
    private string? _head;

    /// <summary>All stacks so far.</summary>
    internal CallNode Root { get; } = new(new("all", FrameKind.Thread));

    /// <summary>Shares of all samples so far.</summary>
    internal SampleTally Tally => _tally;

    /// <summary>Samples without a process id, which are left out.</summary>
    internal int Unreadable { get; private set; }

    /// <summary>Takes the next line, without its end.</summary>
    internal void Add(ReadOnlySpan<char> line)
    {
        if (line.IsWhiteSpace()) Finish();
        else if (_head is null) _head = line.ToString();
        else if (!TryAddFrame(line) && _frames.Count == 0) _head += "\n" + line.ToString(); // A thread's name may have a line feed.
    }

    /// <summary>Takes the end of the input, or of a sample.</summary>
    internal void Finish()
    {
        if (_head is { } head)
        {
            if (TryParse(head, out string name, out int pid)) AddSample(name, pid);
            else Unreadable++;
        }
        _head = null;
        _frames.Clear();
    }

    private bool TryAddFrame(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> trimmed = line.Trim();
        int space = trimmed.IndexOf(' ');
        ReadOnlySpan<char> digits = space < 0 ? trimmed : trimmed[..space];
        if (!char.IsWhiteSpace(line[0]) || !ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong address)) return false;
        if (_frames.Count < DeepestStack) _frames.Add(_table.Code(address, space < 0 ? [] : trimmed[(space + 1)..]));
        return true;
    }

    // A name may have spaces and end in a number; the id is what stands last.
    private static bool TryParse(string head, out string name, out int pid)
    {
        string trimmed = head.TrimEnd();
        int space = trimmed.LastIndexOf(' ');
        name = space < 0 ? "" : trimmed[..space].Trim();
        return int.TryParse(trimmed.AsSpan(space + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out pid);
    }

    private void AddSample(string name, int pid)
    {
        _frames.Add(_table.Thread(name));
        _frames.Reverse();
        if (pid == 0) MarkIdle();
        ReadOnlySpan<Frame> stack = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_frames);
        Root.Add(stack);
        _tally.Add(stack, isDaemon: _daemons.Contains(pid));
    }

    // The idle loop is the work of process 0, as long as no interrupt came: softirqs that follow one carry packets.
    private void MarkIdle()
    {
        for (int i = 1; i < _frames.Count && _frames[i].Kind == FrameKind.Kernel && !IsWork(_frames[i].Name); i++) _frames[i] = _table.Idle(_frames[i]);
    }

    private static bool IsWork(string function)
    {
        foreach (string part in (ReadOnlySpan<string>)["irq", "sysvec", "interrupt", "smp_call_function", "schedule"])
        {
            if (function.Contains(part, StringComparison.Ordinal)) return true;
        }
        return false;
    }
}
