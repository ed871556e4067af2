namespace FlannelFast.Lab.Profiling;

/// <summary>Whose code a frame of a stack is.</summary>
internal enum FrameKind
{
    /// <summary>Not code: the thread that a stack belongs to, or the whole machine.</summary>
    Thread,

    /// <summary>FlannelFast's own.</summary>
    Own,

    /// <summary>The kernel, working.</summary>
    Kernel,

    /// <summary>libc, the .NET runtime, and every program that is not FlannelFast.</summary>
    Library,

    /// <summary>The kernel's idle loop.</summary>
    Idle,
}
