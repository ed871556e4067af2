using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>
/// What a system call answered, in one word: a value of zero or more, or minus the error number. Calls never throw;
/// the cold path turns a failure into an exception with <see cref="ThrowOnError"/>, the hot path looks at the number.
/// </summary>
internal readonly record struct SysResult(nint Raw)
{
    internal bool IsError => Raw < 0;

    internal bool IsSuccess => Raw >= 0;

    /// <summary>The value of a call that succeeded. Meaningless after an error.</summary>
    internal int Value => (int)Raw;

    /// <summary>The error number, or 0 after success.</summary>
    internal int Errno => Raw < 0 ? (int)-Raw : 0;

    /// <summary>
    /// Wraps what a libc function returned. errno is read at once: the runtime keeps it intact over the transition back
    /// from native code, even when that transition waits for a garbage collection.
    /// </summary>
    internal static SysResult From(nint returned) => returned >= 0 ? new(returned) : new(-Marshal.GetLastSystemError());

    /// <summary>Returns the value, or throws an <see cref="ErrnoException"/> that says what was attempted.</summary>
    internal int ThrowOnError(string attempted) => IsSuccess ? Value : throw new ErrnoException(Errno, attempted);
}
