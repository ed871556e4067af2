using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    /// <summary>glibc has no function for it.</summary>
    internal static readonly int SYS_bpf = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 280 : 321;

    /// <summary>syscall(2) is variadic in C; integer arguments are passed as if it were not, on x86-64 and on arm64 Linux.</summary>
    [LibraryImport(LibraryName, EntryPoint = "syscall")]
    internal static partial nint bpf(nint number, nint cmd, void* attr, nint size);
}
