using System.Threading.Channels;
using FlannelFast.Control.Backends;

namespace FlannelFast.Control.Interfaces;

/// <summary>Looks at the underlay whenever the kernel tells of a change, and every half minute in any case: notifications can be lost.</summary>
/// <param name="monitor">Looks.</param>
/// <param name="time">The clock.</param>
internal sealed class UnderlayFollower(UnderlayMonitor monitor, TimeProvider time)
{
    internal static readonly TimeSpan Audit = TimeSpan.FromSeconds(30);

    /// <summary>Changes come in bunches: an address is taken away and the next one added a moment later.</summary>
    private static readonly TimeSpan s_settleTime = TimeSpan.FromMilliseconds(100);

    // One waiting notification stands for all that come before it is served: the look that follows sees all of them.
    private readonly Channel<bool> _notified = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Something about links or addresses is another than before. May be called from any thread.</summary>
    internal void Notify() => _notified.Writer.TryWrite(true);

    /// <summary>Runs until cancelled.</summary>
    /// <param name="current">The underlay in use.</param>
    /// <param name="onChange">Told of each other one.</param>
    /// <param name="cancel">Ends it.</param>
    internal async Task RunAsync(ExternalInterface current, Action<ExternalInterface> onChange, CancellationToken cancel)
    {
        while (true)
        {
            using (var either = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            {
                // Task.Delay, because the virtual clock of tests rules it.
                await Task.WhenAny(_notified.Reader.WaitToReadAsync(either.Token).AsTask(), Task.Delay(Audit, time, either.Token)).ConfigureAwait(false);
                await either.CancelAsync().ConfigureAwait(false);
            }
            await Task.Delay(s_settleTime, time, cancel).ConfigureAwait(false);
            _notified.Reader.TryRead(out _);
            ExternalInterface fresh = monitor.Look(current);
            if (ReferenceEquals(fresh, current)) continue;
            current = fresh;
            onChange(fresh);
        }
    }
}
