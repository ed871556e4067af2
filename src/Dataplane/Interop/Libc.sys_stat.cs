using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>Of the two stat structures the one that is the same on every architecture.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    [FieldOffset(0)] internal uint stx_mask;
    [FieldOffset(20)] internal uint stx_uid;
    [FieldOffset(24)] internal uint stx_gid;
    [FieldOffset(28)] internal ushort stx_mode;
}

internal static unsafe partial class Libc
{
    internal const uint STATX_MODE = 2;
    internal const uint STATX_UID = 8;
    internal const int S_IWOTH = 2;

    [LibraryImport(LibraryName)]
    internal static partial int mkdirat(int dirfd, byte* pathname, uint mode);

    [LibraryImport(LibraryName)]
    internal static partial int statx(int dirfd, byte* pathname, int flags, uint mask, statx* statxbuf);
}
