using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>A tunnel of which one worker is dead drops a part of its flows: its owner must learn of it while the others run.</summary>
public sealed class PacketEngineCompletionTests
{
    private readonly TaskCompletionSource _first = new();
    private readonly TaskCompletionSource _second = new();

    private Task Completion() => PacketEngine.FirstFailureOrEndAsync([_first.Task, _second.Task]);

    [Fact]
    public async Task One_failed_worker_fails_the_whole_while_the_other_runs()
    {
        Task completion = Completion();
        _second.SetException(new IOException("broken"));
        IOException failure = await Assert.ThrowsAsync<IOException>(() => completion.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
        Assert.Equal("broken", failure.Message);
    }

    [Fact]
    public async Task It_ends_when_all_have_ended()
    {
        Task completion = Completion();
        _first.SetResult();
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(completion.IsCompleted);
        _second.SetResult();
        await completion.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
    }
}
