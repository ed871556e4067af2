using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Running;

/// <summary>
/// How fast one core writes memory that another core has just read: what every tunnel in user space does all the time with the kernel's socket buffers.
/// In a virtual machine the figure jumps (29, 9, 7 and 2 GB/s where docs/performance.md was measured, each for a tenth of a second to many seconds, whatever the
/// memory), most likely as the hypervisor moves virtual processors between siblings of one core, cores that share a cache and cores that do not. Nothing in
/// the guest shows it, so the lab takes it before every measurement.
/// </summary>
internal static unsafe class CoreCopy
{
    /// <summary>Bytes of a mask of 8,192 processors, the most that Linux can be built for; a shorter one than the kernel's own is refused (sched_setaffinity(2)).</summary>
    internal const int MaskSize = 1024;

    private const int Block = 64 * 1024;

    /// <summary>Few enough that what is written has not left the other core's cache: these two and the local one fit any second level.</summary>
    private const int Blocks = 2;

    private const int Turns = 200;

    private const nuint Alignment = 4096;

    /// <summary>Some ten milliseconds are enough on the slowest machine seen; with other programs on both cores the turns may wait for the scheduler.</summary>
    private const long Patience = 200 * Clock.Millisecond;

    /// <summary>Takes some 5 ms of two processors.</summary>
    /// <returns>GB/s; null if the program may not use two processors, or did not get both at once.</returns>
    internal static double? Measure()
    {
        if (Allowed() is not [int writing, int reading, ..]) return null;
        byte* ring = (byte*)NativeMemory.AlignedAlloc((Blocks + 2) * Block, Alignment);
        try
        {
            new Span<byte>(ring, (Blocks + 2) * Block).Fill(1);
            var turns = new Turn();
            long time = 0;
            var workers = new Workers();
            workers.Start("core copy in", () => Read(reading, ring, turns));
            workers.Start("core copy out", () => time = Write(writing, ring, turns));
            workers.Join();
            return turns.Read < Turns ? null : Math.Round((double)Turns * Block / Math.Max(time, 1), 1);
        }
        finally
        {
            NativeMemory.AlignedFree(ring);
        }
    }

    private static long Write(int processor, byte* ring, Turn turns)
    {
        Bind(processor);
        byte* own = ring + Blocks * Block;
        long time = 0, end = Clock.Now + Patience;
        for (int i = 0; i < Turns; i++)
        {
            while (i - Volatile.Read(ref turns.Read) >= Blocks)
            {
                if (Clock.Now > end) return time;
            }
            long before = Clock.Now;
            Buffer.MemoryCopy(own, ring + i % Blocks * Block, Block, Block);
            time += Clock.Now - before;
            Volatile.Write(ref turns.Written, i + 1);
        }
        return time;
    }

    private static void Read(int processor, byte* ring, Turn turns)
    {
        Bind(processor);
        byte* own = ring + (Blocks + 1) * Block;
        long end = Clock.Now + Patience;
        for (int i = 0; i < Turns; i++)
        {
            while (Volatile.Read(ref turns.Written) <= i)
            {
                if (Clock.Now > end) return;
            }
            Buffer.MemoryCopy(ring + i % Blocks * Block, own, Block, Block);
            Volatile.Write(ref turns.Read, i + 1);
        }
    }

    /// <summary>The calling thread, which ends soon, runs there only. A processor that is gone meanwhile leaves it where it is.</summary>
    private static void Bind(int processor)
    {
        byte* mask = stackalloc byte[MaskSize];
        mask[processor / 8] = (byte)(1 << processor % 8);
        _ = Libc.sched_setaffinity(0, MaskSize, mask);
    }

    private static List<int> Allowed()
    {
        byte* mask = stackalloc byte[MaskSize];
        var processors = new List<int>();
        if (Libc.sched_getaffinity(0, MaskSize, mask) != 0) return processors;
        for (int i = 0; i < MaskSize * 8; i++)
        {
            if ((mask[i / 8] & 1 << i % 8) != 0) processors.Add(i);
        }
        return processors;
    }

    // Two lines each, so that waiting for one number does not take the other's line away.
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private sealed class Turn
    {
        [FieldOffset(128)]
        internal int Written;

        [FieldOffset(256)]
        internal int Read;
    }
}
