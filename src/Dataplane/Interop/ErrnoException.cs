namespace FlannelFast.Dataplane.Interop;

/// <summary>A system call failed on the cold path. The message says what was attempted and what the kernel answered.</summary>
internal sealed class ErrnoException(int errno, string attempted)
    : IOException($"{attempted}: {Interop.Errno.Describe(errno)}")
{
    /// <summary>The positive error number.</summary>
    internal int Errno { get; } = errno;
}
