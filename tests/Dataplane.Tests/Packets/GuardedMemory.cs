using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>
/// Memory between two pages that may not be touched: one byte read or written too far ends the test process. A range can be
/// placed flush against either page.
/// </summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const int ProtNone = 0;
    private const int MapFixed = 0x10;
    private static readonly nuint s_page = (nuint)Environment.SystemPageSize;

    private readonly byte* _mapping;
    private readonly nuint _mapped;

    internal GuardedMemory(int size)
    {
        nuint usable = ((nuint)size + s_page - 1) / s_page * s_page;
        _mapped = usable + 2 * s_page;
        _mapping = (byte*)Libc.mmap(null, _mapped, ProtNone, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        Assert.True((nint)_mapping != -1);
        Start = (byte*)Libc.mmap(_mapping + s_page, usable, Libc.PROT_READ | Libc.PROT_WRITE,
            Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | MapFixed, -1, 0);
        Assert.True(Start == _mapping + s_page);
        Length = (int)usable;
    }

    /// <summary>First usable byte; the one before it is forbidden.</summary>
    internal byte* Start { get; }

    /// <summary>Usable bytes: the size asked for, rounded up to pages.</summary>
    internal int Length { get; }

    /// <summary>A range that ends where the forbidden page begins.</summary>
    internal byte* Tail(int length) => Start + Length - length;

    /// <summary>Copies bytes to the end, so that the one after the last is forbidden.</summary>
    internal byte* PlaceAtEnd(ReadOnlySpan<byte> bytes)
    {
        byte* place = Tail(bytes.Length);
        bytes.CopyTo(new Span<byte>(place, bytes.Length));
        return place;
    }

    public void Dispose() => Assert.Equal(0, Libc.munmap(_mapping, _mapped));
}
