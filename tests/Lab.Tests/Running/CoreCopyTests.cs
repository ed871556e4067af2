using FlannelFast.Dataplane.Interop;
using FlannelFast.Lab.Running;

namespace FlannelFast.Lab.Tests.Running;

public sealed class CoreCopyTests
{
    [Fact]
    public void Two_processors_give_a_figure_that_memory_can_have()
    {
        Assert.SkipWhen(Environment.ProcessorCount < 2, "one processor");
        // Other tests may hold a processor for the whole of one try.
        double? speed = null;
        for (int i = 0; i < 20 && speed is null; i++) speed = CoreCopy.Measure();
        Assert.InRange(speed!.Value, 0.05, 500);
    }

    [Fact]
    public void One_processor_gives_none()
    {
        double? speed = 1;
        var thread = new Thread(() =>
        {
            BindToOne();
            speed = CoreCopy.Measure();
        });
        thread.Start();
        thread.Join();
        Assert.Null(speed);
    }

    private static unsafe void BindToOne()
    {
        byte* mask = stackalloc byte[CoreCopy.MaskSize];
        Assert.Equal(0, Libc.sched_getaffinity(0, CoreCopy.MaskSize, mask));
        bool found = false;
        for (int i = 0; i < CoreCopy.MaskSize; i++)
        {
            mask[i] = found ? (byte)0 : (byte)(mask[i] & -mask[i]);
            found |= mask[i] != 0;
        }
        Assert.Equal(0, Libc.sched_setaffinity(0, CoreCopy.MaskSize, mask));
    }
}
