using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Repairs the TUN device of a running tunnel: makes it again where it was deleted, sets what others changed, and tells those who depend on it what it is now. One thread
/// at a time, except where a member says otherwise.
/// </summary>
/// <param name="netlink">Host access, not owned.</param>
/// <param name="engine">Has the device and follows its MTU; not owned.</param>
/// <param name="hellos">Are to listen on the device; null where there are none. Not owned.</param>
/// <param name="log">Told of repairs, and why one is refused.</param>
internal sealed class DeviceRepair(NetlinkClient netlink, PacketEngine engine, LaneHellos? hellos, ILogger log)
{
    private readonly DeviceKeeper _keeper = new(netlink);
    private volatile bool _tunLost;
    private bool _deviceMissed;
    private string? _lastComplaint;

    /// <summary>Index of the device, 0 before the first <see cref="Ensure"/>. Any thread.</summary>
    internal int DeviceIndex => _keeper.Link?.Index ?? 0;

    /// <summary>Whether a repair is due after a change on the host; another MTU of the device is passed on at once. Any thread.</summary>
    /// <param name="change">What happened.</param>
    /// <param name="config">The tunnel as it is now.</param>
    internal bool IsConcernedBy(NetworkChange change, TunnelConfig config)
    {
        // At once, and also while a repair that would undo it is refused.
        if (change is LinkChanged { Link: var link } && link.Index == _keeper.Link?.Index) engine.FollowDeviceMtu(link.Mtu);
        return change switch
        {
            LinkChanged changed => IsOurs(changed.Link.Index),
            LinkRemoved removed => IsOurs(removed.Link.Index),
            AddressAdded added => added.Address.Address.Equals(config.Engine.Local),
            AddressRemoved removed => IsOurs(removed.Address.LinkIndex),
            // "ip route replace" takes a route over without removing it; that must be said at once, although not undone.
            RouteAdded added => added.Route.LinkIndex != _keeper.Link?.Index && config.Networks.Contains(added.Route.Destination),
            RouteRemoved removed => config.Networks.Contains(removed.Route.Destination),
            Overrun or MonitorFailed => true,
            _ => false,
        };
    }

    private bool IsOurs(int link) => link == _keeper.Link?.Index || link == _keeper.UnderlayIndex;

    /// <summary>The device was deleted: the next repair makes it again. Any thread.</summary>
    internal void LoseTun() => _tunLost = true;

    /// <summary>As <see cref="DeviceKeeper.Ensure"/>, and the engine and the hellos go on with what the device is then.</summary>
    internal IReadOnlyList<string> Ensure(TunnelConfig config)
    {
        IReadOnlyList<string> changes = _keeper.Ensure(config);
        if (_keeper.Link is { } device)
        {
            engine.FollowDeviceMtu(device.Mtu);
            hellos?.Attach(device);
        }
        return changes;
    }

    /// <summary>Repairs what there is to repair; false where the host refused, which is logged once per cause.</summary>
    /// <param name="config">The tunnel as it is now.</param>
    internal bool TryRepair(TunnelConfig config)
    {
        try
        {
            if (_tunLost) RecreateTun(config);
            IReadOnlyList<string> changes = Ensure(config);
            if (changes.Count > 0) log.DeviceRepaired(config.Device, string.Join(", ", changes));
            _lastComplaint = null;
            _deviceMissed = false;
            return true;
        }
        catch (Exception refused) when (refused is IOException or InvalidOperationException)
        {
            Complain(config, refused);
            return false;
        }
    }

    private void RecreateTun(TunnelConfig config)
    {
        // Before the repair, not after: a device that is deleted again meanwhile is reported once, and not twice.
        _tunLost = false;
        try
        {
            engine.RecreateTun();
        }
        catch
        {
            _tunLost = true;
            throw;
        }
        log.DeviceRecreated(config.Device);
    }

    /// <summary>
    /// One line per cause. A link that is just being deleted is reported by its queue a moment later; one that is missing
    /// at the second look too was moved to another network namespace.
    /// </summary>
    private void Complain(TunnelConfig config, Exception refused)
    {
        bool isMissing = refused is NetlinkException { Errno: Errno.ENODEV }, isFirstLook = isMissing && !_deviceMissed;
        _deviceMissed = isMissing;
        if (isFirstLook || refused.Message == _lastComplaint) return;
        _lastComplaint = refused.Message;
        log.RepairFailed(config.Device, refused.Message);
    }
}
