namespace FlannelFast.Lab.Profiling;

/// <summary>One level of a stack.</summary>
/// <param name="Name">For people: no semicolon, no control character.</param>
/// <param name="Kind">Whose code it is.</param>
internal sealed record Frame(string Name, FrameKind Kind)
{
    /// <summary>The name as folded files have it: functions of the kernel carry the mark of stackcollapse-perf.pl, by which other tools colour them.</summary>
    internal string FoldedName => Kind is FrameKind.Kernel or FrameKind.Idle ? Name + "_[k]" : Name;
}
