using System.Globalization;

namespace FlannelFast.Lab.Profiling;

/// <summary>A tree of calls with the samples that passed through each: all stacks of a profile, folded.</summary>
internal sealed class CallNode(Frame frame)
{
    private readonly Dictionary<Frame, CallNode> _callees = [];

    internal Frame Frame { get; } = frame;

    /// <summary>Samples in this function and in what it called.</summary>
    internal long Total { get; private set; }

    /// <summary>Samples in this function itself.</summary>
    internal long Self { get; private set; }

    /// <summary>What it called: the most samples first, what is idle last, equal ones by name.</summary>
    internal IReadOnlyList<CallNode> Callees
    {
        get
        {
            // Not OrderBy and ThenBy: each key of another type costs tens of kilobytes of specialised code.
            var callees = new List<CallNode>(_callees.Values);
            callees.Sort(InOrder);
            return callees;
        }
    }

    // The thread of the idle loop also serves interrupts: it is idle if it mostly is.
    private bool IsIdle => Frame.Kind == FrameKind.Idle || (Frame.Kind == FrameKind.Thread && _callees.Values.Where(c => c.IsIdle).Sum(c => c.Total) > Total / 2);

    /// <summary>Adds one sample.</summary>
    /// <param name="stack">Its frames below this node, the outermost caller first.</param>
    internal void Add(ReadOnlySpan<Frame> stack)
    {
        CallNode node = this;
        node.Total++;
        foreach (Frame frame in stack)
        {
            if (!node._callees.TryGetValue(frame, out CallNode? callee)) node._callees.Add(frame, callee = new(frame));
            (node = callee).Total++;
        }
        node.Self++;
    }

    /// <summary>This node and all below it.</summary>
    internal IEnumerable<CallNode> WithDescendants()
    {
        var waiting = new Stack<CallNode>([this]);
        while (waiting.TryPop(out CallNode? node))
        {
            yield return node;
            foreach (CallNode callee in node._callees.Values) waiting.Push(callee);
        }
    }

    /// <summary>
    /// Writes what is below this node in the format of stackcollapse-perf.pl, which flamegraph.pl, speedscope and others read: the frames from the thread
    /// inwards with semicolons between them, a space, the number of samples.
    /// </summary>
    internal void WriteFolded(TextWriter output)
    {
        foreach (CallNode callee in Callees) callee.WriteFolded(output, "");
    }

    private static int InOrder(CallNode one, CallNode other) =>
        one.IsIdle != other.IsIdle ? (one.IsIdle ? 1 : -1)
        : one.Total != other.Total ? other.Total.CompareTo(one.Total)
        : string.CompareOrdinal(one.Frame.Name, other.Frame.Name);

    private void WriteFolded(TextWriter output, string callers)
    {
        string stack = callers + Frame.FoldedName;
        if (Self > 0) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stack} {Self}"));
        foreach (CallNode callee in Callees) callee.WriteFolded(output, stack + ";");
    }
}
