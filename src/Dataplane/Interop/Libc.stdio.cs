using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    [LibraryImport(LibraryName)]
    internal static partial int renameat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath);
}
