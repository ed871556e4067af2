using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>The kernel ends the thread in whose system call it finds a fault of its own, and that thread alone.</summary>
public sealed class VanishedWorkerTests
{
    [Fact]
    public async Task A_thread_that_the_kernel_has_ended_is_missed()
    {
        var worker = new FakeWorker(vanishes: true);
        worker.Start();
        for (int turn = 0; turn < 1000 && !worker.Completion.IsCompleted; turn++)
        {
            worker.CheckThread();
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        IOException missed = await Assert.ThrowsAsync<IOException>(() => worker.Completion);
        Assert.Equal("worker 3: the kernel has ended its thread, its log (dmesg) says why", missed.Message);
        // Nobody waits for it.
        worker.Stop();
        worker.Dispose();
    }

    [Fact]
    public async Task One_that_runs_or_has_ended_by_itself_is_not()
    {
        var worker = new FakeWorker(vanishes: false);
        worker.CheckThread();
        worker.Start();
        worker.CheckThread();
        Assert.False(worker.Completion.IsCompleted);
        worker.Stop();
        await worker.Completion;
        worker.CheckThread();
        worker.Stop();
        worker.Dispose();
    }

    private sealed class FakeWorker(bool vanishes)
        : Worker(3, new EventFd(), PeerTable.Build([System.Net.IPNetwork.Parse("10.5.1.0/24")], [], null, 1))
    {
        internal override bool UsesUdpSegment => false;

        internal override long AllocatedBytes => 0;

        internal override WorkerStatus ReadStatus() => throw new NotSupportedException();

        protected override void Loop()
        {
            const int exitThread = 60;
            if (vanishes) _ = syscall(exitThread, 0);
            while (!IsStopping) Thread.Sleep(1);
        }

        [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern nint syscall(nint number, nint code);
    }
}
