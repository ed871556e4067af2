using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Subnets;

/// <summary>Writes down what a watch says: "= all", "+ put", "- removed".</summary>
internal sealed class UpdateLog : IAsyncDisposable
{
    private readonly StoreRig _rig;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _lines = [];
    private Task? _running;

    public UpdateLog(StoreRig rig) => _rig = rig;

    /// <summary>The last full read.</summary>
    public IReadOnlyList<Lease> Latest { get; private set; } = [];

    /// <summary>Lets so many seconds pass; the first call starts the watch.</summary>
    public async Task PassAsync(double seconds)
    {
        _running ??= RunAsync();
        await Task.Delay(TimeSpan.FromSeconds(seconds), _rig.Time);
        if (_running.IsFaulted) await _running;
    }

    public string[] Take()
    {
        string[] lines = [.. _lines];
        _lines.Clear();
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        if (_running is not null) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        _stop.Dispose();
    }

    // CancelAsync would run the callbacks on another thread, outside the virtual clock.
    private void Stop() => _stop.Cancel();

    private async Task RunAsync()
    {
        await foreach (LeaseUpdate update in _rig.Store.WatchAsync(_rig.Network, _stop.Token))
        {
            if (update is LeaseUpdate.Snapshot all) Latest = [.. all.Leases.OrderBy(lease => lease.Subnet.ToString(), StringComparer.Ordinal)];
            _lines.Add(update switch
            {
                LeaseUpdate.Snapshot => $"= {string.Join(' ', Latest.Select(Text))}",
                LeaseUpdate.Put put => $"+ {Text(put.Lease)}",
                LeaseUpdate.Removed removed => $"- {removed.Subnet}",
                _ => throw new InvalidOperationException(update.ToString()),
            });
        }
    }

    private static string Text(Lease lease) => $"{lease.Subnet}@{lease.Attributes.PublicIP}";
}
