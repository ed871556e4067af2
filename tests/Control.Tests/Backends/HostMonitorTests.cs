using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends;

public sealed class HostMonitorTests : IDisposable
{
    private static readonly NetworkChange s_damage = new LinkRemoved(new() { Index = 7, Name = "flannel.1" });
    private static readonly NetworkChange s_other = new LinkRemoved(new() { Index = 8, Name = "eth1" });

    private readonly ManualTimeProvider _time = new();
    private readonly RecordingLog _log = new();
    private readonly List<Subscription> _subscriptions = [];
    private int _repairs;

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Only_damage_calls_for_repair_and_so_does_what_nobody_knows()
    {
        using HostMonitor monitor = Create();
        Assert.Equal(0, RepairsAfter(s_other));
        Assert.Equal(1, RepairsAfter(s_damage));
        Assert.Equal(2, RepairsAfter(new Overrun()));
        monitor.Report();
        Assert.Equal(3, RepairsAfter(s_other));
    }

    [Fact]
    public void A_subscription_that_fails_is_told_and_made_again_by_the_next_look()
    {
        using HostMonitor monitor = Create();
        monitor.Renew();
        Assert.Single(_subscriptions);
        Assert.Equal(1, RepairsAfter(new MonitorFailed(new(Errno.EBADF, "receive netlink notifications"))));
        Assert.Contains("receive netlink notifications", Assert.Single(_log.Lines), StringComparison.Ordinal);
        monitor.Renew();
        monitor.Renew();
        Assert.Equal(2, _subscriptions.Count);
        Assert.True(_subscriptions[0].IsDisposed);
        Assert.Equal(2, RepairsAfter(s_damage));
    }

    [Fact]
    public void A_refused_subscription_is_tried_again()
    {
        bool refuse = false;
        using HostMonitor monitor = new(change => change == s_damage, () => _repairs++, _log, _time, onChange => refuse
            ? throw new NetlinkException(Errno.EMFILE, "open a netlink socket")
            : Subscribe(onChange));
        RepairsAfter(new MonitorFailed(new(Errno.EBADF, "receive netlink notifications")));
        refuse = true;
        Assert.Throws<NetlinkException>(monitor.Renew);
        refuse = false;
        monitor.Renew();
        Assert.Equal(2, RepairsAfter(s_damage));
    }

    private HostMonitor Create() => new(change => change == s_damage, () => _repairs++, _log, _time, Subscribe);

    private Subscription Subscribe(Action<NetworkChange> onChange)
    {
        _subscriptions.Add(new(onChange));
        return _subscriptions[^1];
    }

    private int RepairsAfter(NetworkChange change)
    {
        _subscriptions[^1].OnChange(change);
        _time.Advance(TimeSpan.FromMilliseconds(100));
        return _repairs;
    }

    private sealed class Subscription(Action<NetworkChange> onChange) : IDisposable
    {
        internal Action<NetworkChange> OnChange { get; } = onChange;

        internal bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
