using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Subnets.Etcd.V3;

/// <summary>A watch that a test reads change by change. Fails where none comes within 20 s.</summary>
internal sealed class WatchRig : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IAsyncEnumerator<RegistryChange> _changes;

    internal WatchRig(ISubnetRegistry registry, long afterRevision) =>
        _changes = registry.WatchAsync(afterRevision, _stop.Token).GetAsyncEnumerator(_stop.Token);

    internal async Task<RegistryChange> NextAsync()
    {
        Assert.True(await _changes.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20)), "the watch ended by itself");
        return _changes.Current;
    }

    /// <summary>A cancelled watch ends at once and by an exception that says so.</summary>
    internal async Task StopAsync()
    {
        Task<bool> next = _changes.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }
}
