using System.Globalization;
using System.Net;
using FlannelFast.Lab.Hosting;
using FlannelFast.Lab.Topologies;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// Opens and closes the express lane of one daemon, whose programs are attached to the interface of the underlay that all contenders share. A lane is closed while its TUN
/// device is promiscuous: no build needs a switch for it, and the daemon, its device and its counters stay.
/// </summary>
/// <param name="place">Where the daemon runs.</param>
/// <param name="device">Its TUN device.</param>
/// <param name="read">Asks the daemon; null if it does not answer.</param>
/// <param name="others">Addresses of the other nodes' devices. With udp a host's lane is asked for when something is sent to it.</param>
/// <param name="hasEnded">Whether the daemon has ended: nothing is waited for then.</param>
internal sealed class LanePlace(NetworkNamespace place, string device, Func<LaneReading?> read, IReadOnlyList<IPAddress> others, Func<bool> hasEnded)
{
    // With 100,000 peers it opens within 0.3 s.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    private bool _wasOpen;

    /// <summary>Waits, after the start, until the lane is open or stays closed.</summary>
    internal async Task SettleAsync(CancellationToken cancel) =>
        _wasOpen = await UntilAsync(lane => lane.IsSettled, cancel).ConfigureAwait(false) is { Open: true };

    /// <summary>Lets it open.</summary>
    internal void Open() => Watch("off");

    /// <summary>Waits until it is open after <see cref="Open"/> and carries packets to all other nodes, if it was open after the start.</summary>
    /// <returns>Null, or what is missing.</returns>
    internal async Task<string?> OpenedAsync(CancellationToken cancel)
    {
        if (!_wasOpen || await UntilAsync(lane => lane.IsSettled, cancel).ConfigureAwait(false) is not { } lane) return null;
        if (!lane.Open) return lane.Reason;
        foreach (IPAddress other in others) Tool.Try("", "ip", "netns", "exec", place.Name, "ping", "-q", "-c", "1", "-W", "1", other.ToString());
        lane = await UntilAsync(read => read.Peers >= others.Count, cancel).ConfigureAwait(false);
        return lane is { } last && last.Peers < others.Count ? string.Create(CultureInfo.InvariantCulture, $"only {last.Peers} of {others.Count} other nodes have one, too") : null;
    }

    /// <summary>Makes it close.</summary>
    internal void Close() => Watch("on");

    /// <summary>Waits until it is closed after <see cref="Close"/>.</summary>
    /// <returns>Whether it is; a daemon that no longer answers has none.</returns>
    internal async Task<bool> ClosedAsync(CancellationToken cancel) =>
        await UntilAsync(lane => lane.StaysClosed, cancel).ConfigureAwait(false) is null or { Open: false };

    private void Watch(string position)
    {
        try
        {
            place.Batch($"link set dev {device} promisc {position}");
        }
        catch (LabException) when (!place.HasDevice(device))
        {
            // It went with its daemon, and the lane with it. How that ended is for others to say.
        }
    }

    /// <returns>The last answer, whatever it is when the time is over; null if there was none.</returns>
    private async Task<LaneReading?> UntilAsync(Func<LaneReading, bool> condition, CancellationToken cancel)
    {
        long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds;
        LaneReading? lane;
        while ((lane = read()) is null || !condition(lane))
        {
            if (hasEnded() || Environment.TickCount64 > deadline) break;
            await Task.Delay(10, cancel).ConfigureAwait(false);
        }
        return lane;
    }
}
