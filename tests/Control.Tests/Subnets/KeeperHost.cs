using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Subnets.StoreRig;

namespace FlannelFast.Control.Tests.Subnets;

/// <summary>A host with 192.0.2.1 that holds 10.5.7.0/24: keeper and watch beside each other, as the daemon runs them.</summary>
internal sealed class KeeperHost : IAsyncDisposable
{
    private readonly StoreRig _rig;
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    private KeeperHost(StoreRig rig, Lease own, LeaseKeeperOptions options, int seed)
    {
        _rig = rig;
        Keeper = new(rig.Store, rig.Network, own, options, rig.Time, new(seed), rig.Log);
    }

    public LeaseKeeper Keeper { get; }

    public Task Running { get; private set; } = Task.CompletedTask;

    public ManualTimeProvider Time => _rig.Time;

    public FakeStore Cluster => _rig.Cluster;

    public FakeRegistry Registry => _rig.Registry;

    public LogRecorder Log => _rig.Log;

    public string[] Keys => _rig.Keys;

    public string? Value => Cluster.Read("10.5.7.0-24") is { } entry ? Encoding.UTF8.GetString(entry.Value.Span) : null;

    public static async Task<KeeperHost> StartAsync(ManualTimeProvider time, LeaseKeeperOptions options, bool reserved = false, int seed = 1)
    {
        var rig = new StoreRig(time);
        if (reserved) rig.Put("10.5.7.0-24", "192.0.2.1", null);
        var host = new KeeperHost(rig, await rig.AcquireAsync(previous: Subnet("10.5.7.0/24")), options, seed);
        host.Running = host.Keeper.RunAsync(host._stop.Token);
        host._watching = host.WatchAsync();
        return host;
    }

    public void Stop() => _stop.Cancel();

    public async ValueTask DisposeAsync()
    {
        Stop();
        if (!Running.IsFaulted) await Running;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _watching);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        await foreach (LeaseUpdate update in _rig.Store.WatchAsync(_rig.Network, _stop.Token)) Keeper.Observe(update);
    }
}
