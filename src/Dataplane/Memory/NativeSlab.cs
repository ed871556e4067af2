using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Memory;

/// <summary>
/// One block of zeroed, page-aligned memory outside the garbage-collected heap, cut once into the buffers of one worker.
/// Owned by the worker: it hands out slices while it is built and unmaps everything in <see cref="Dispose"/>; slices must
/// not be used after that. Pages are only backed by memory once they are touched.
/// </summary>
internal sealed unsafe class NativeSlab : IDisposable
{
    /// <summary>Slices start at multiples of this: two cache lines, so that neighbours never share a prefetched pair.</summary>
    internal const int Alignment = 128;

    private byte* _base;
    private readonly nuint _size;
    private nuint _used;

    /// <summary>Maps a slab.</summary>
    /// <param name="size">Bytes; rounded up by the kernel to whole pages.</param>
    /// <exception cref="ErrnoException">The kernel has no memory to give.</exception>
    internal NativeSlab(nuint size)
    {
        _size = size;
        void* memory = Libc.mmap(null, size, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        SysResult.From(memory == (void*)-1 ? -1 : 0).ThrowOnError($"cannot map {size} bytes of packet buffers");
        _base = (byte*)memory;
        // Packets are nobody's business in a core file. A kernel without the option keeps them in: not worth failing for.
        _ = Libc.madvise(_base, size, Libc.MADV_DONTDUMP);
    }

    /// <summary>Cuts the next slice, for <paramref name="count"/> values of <typeparamref name="T"/>; zeroed.</summary>
    internal T* Take<T>(int count)
        where T : unmanaged
    {
        nuint bytes = ((nuint)count * (nuint)sizeof(T) + (Alignment - 1)) & ~(nuint)(Alignment - 1);
        if (_base == null || bytes > _size - _used)
            throw new InvalidOperationException($"the slab of {_size} bytes has {_size - _used} left, {bytes} were asked for");
        byte* slice = _base + _used;
        _used += bytes;
        return (T*)slice;
    }

    public void Dispose()
    {
        if (_base == null) return;
        _ = Libc.munmap(_base, _size);
        _base = null;
    }
}
