using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Files;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// The running part of a flanneld's life: leases are followed and applied, ours is renewed, rules and files are kept, the underlay is watched. Each is a loop
/// of its own and survives the failures it knows; whatever else ends one ends the daemon, which then is started again.
/// </summary>
internal sealed class FlanneldRun : IDisposable
{
    /// <summary>Without an apply for so long the reconciler hangs: it audits every half minute.</summary>
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromMinutes(2);

    private readonly FlanneldOptions _options;
    private readonly FlanneldParts _parts;
    private readonly DaemonState _state;
    private readonly UnderlayFollower _underlay;
    private readonly ILogger _log;
    private readonly Reconciler _reconciler;
    private readonly IDisposable _networkWatch;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _loops = [];
    private Task _lease = Task.CompletedTask;
    private int _mtu;

    /// <param name="options">The user's.</param>
    /// <param name="parts">What lies outside the process.</param>
    /// <param name="state">With store, network, interface, started backend, lease, firewall and subnet file.</param>
    /// <param name="underlay">Follows the interface.</param>
    /// <param name="loggers">Where it reports.</param>
    internal FlanneldRun(FlanneldOptions options, FlanneldParts parts, DaemonState state, UnderlayFollower underlay, ILoggerFactory loggers)
    {
        (_options, _parts, _state, _underlay, _log) = (options, parts, state, underlay, loggers.CreateLogger("flanneld"));
        _reconciler = new(Backend, parts.Time, loggers.CreateLogger("flanneld.backend"));
        _networkWatch = parts.WatchNetwork(underlay.Notify);
    }

    private IBackend Backend => _state.Backend!;

    private LeaseKeeper Lease => _state.Lease!;

    private SubnetFileWriter SubnetFile => _state.SubnetFile!;

    /// <summary>Writes subnet.env and starts everything.</summary>
    internal void Start()
    {
        WriteSubnetFile();
        Backend.AnnouncementChanged += OnAnnouncementChanged;
        _reconciler.Start();
        _state.Reconciler = _reconciler;
        CancellationToken end = _end.Token;
        _lease = Lease.RunAsync(end);
        _loops.Add(FollowLeasesAsync(end));
        _loops.Add(_state.Firewall!.RunAsync(end));
        _loops.Add(SubnetFile.RunAsync(end));
        _loops.Add(_underlay.RunAsync(_state.External!, OnUnderlayChanged, end));
        if (_parts.WatchdogInterval is { } interval) _loops.Add(new Watchdog(_parts.Manager, interval, IsAlive, _parts.Time).RunAsync(end));
    }

    /// <summary>Waits until cancelled or until the lease is lost.</summary>
    /// <returns>The exit code of a daemon that lost its lease.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="Exception">A part failed; the message says why.</exception>
    internal async Task<int> WaitAsync(CancellationToken stop)
    {
        Task stopped = Task.Delay(Timeout.Infinite, stop);
        Task first = await Task.WhenAny([stopped, _lease, Backend.Completion, _reconciler.Completion, .. _loops]).ConfigureAwait(false);
        try
        {
            await first.ConfigureAwait(false);
        }
        catch (LeaseLostException e)
        {
            FlanneldLog.LeaseLost(_log, e.Message);
            return ExitCode.Success;
        }
        throw new InvalidOperationException($"the {_state.Network!.Backend.Type} backend ended by itself");
    }

    /// <summary>Stops everything; what carries packets outside the process stays.</summary>
    public void Dispose()
    {
        Backend.AnnouncementChanged -= OnAnnouncementChanged;
        _networkWatch.Dispose();
        _end.Cancel();
        // Each ends by its cancellation; what failed before was told by WaitAsync.
        Task.WhenAll([_lease, .. _loops]).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        _reconciler.Dispose();
        _end.Dispose();
    }

    private bool IsAlive() => _reconciler.ReadStatus() is not { SinceLastApply: { } silence } || silence < s_longestSilence;

    private async Task FollowLeasesAsync(CancellationToken cancel)
    {
        await foreach (LeaseUpdate update in _state.Store!.WatchAsync(_state.Network!, cancel).ConfigureAwait(false))
        {
            _state.Leases.Apply(update);
            Lease.Observe(update);
            _reconciler.Take(update);
        }
    }

    private void OnUnderlayChanged(ExternalInterface external)
    {
        _state.External = external;
        _reconciler.Follow(external);
        Publish();
    }

    private void OnAnnouncementChanged()
    {
        Publish();
        if (Backend.Mtu == Volatile.Read(ref _mtu)) return;
        FlanneldLog.MtuChanged(_log, Backend.Mtu);
        WriteSubnetFile();
    }

    private void Publish() => Lease.Publish(LeaseContent.Of(_state.External!, Backend.Announcement));

    private void WriteSubnetFile()
    {
        int mtu = Backend.Mtu;
        Volatile.Write(ref _mtu, mtu);
        SubnetFile.Write(new SubnetFileContent(_state.Network!, Lease.Own.Subnet, mtu, _options.Firewall.Masquerade));
    }
}
