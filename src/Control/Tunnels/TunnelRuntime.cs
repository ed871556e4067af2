using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// The tunnel on this host's kernel: the packet engine with its TUN device, kept in shape by a supervisor thread that is
/// woken by netlink notifications and audits everything every 30 seconds in any case.
/// </summary>
internal sealed class TunnelRuntime : ITunnelRuntime
{
    /// <summary>Notifications can be lost without a trace; an audit finds what they did not tell.</summary>
    private static readonly TimeSpan s_auditInterval = TimeSpan.FromSeconds(30);

    /// <summary>Changes come in bunches (a link that goes down takes its routes with it): one repair for all of them.</summary>
    private static readonly TimeSpan s_settleTime = TimeSpan.FromMilliseconds(20);

    /// <summary>Between attempts while the host refuses a repair.</summary>
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two parts of the peers whose routes are asked for: a large mesh shall not take a core for itself.</summary>
    private static readonly TimeSpan s_askPause = TimeSpan.FromMilliseconds(10);

    /// <summary>A daemon that was killed while its port was lent to the VXLAN driver leaves it taken for some milliseconds (<see cref="VxlanDriverPort"/>).</summary>
    private static readonly TimeSpan s_portPatience = TimeSpan.FromMilliseconds(500);

    private readonly ILogger _log;
    private readonly NetlinkClient _netlink;
    private readonly PacketEngine _engine;
    private readonly ExpressHost _expressHost;
    private readonly ExpressLaneKeeper _express;
    private readonly LaneHellos? _hellos;
    private readonly DeviceRepair _device;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _supervisor;
    private volatile TunnelConfig _config;
    private NetlinkMonitor? _monitor;
    private volatile bool _stopping;
    private volatile bool _repairDue;

    private TunnelRuntime(TunnelConfig config, ILogger log, NetlinkClient netlink, PacketEngine engine)
    {
        _config = config with { Device = engine.DeviceName };
        _log = log;
        _netlink = netlink;
        _engine = engine;
        _expressHost = new(netlink, OnNetworkChange);
        _hellos = CreateHellos(config, engine);
        _device = new(netlink, engine, _hellos, log);
        _express = new(_expressHost, engine.UseExpressLane, () => engine.IsExpressLaneOpen, () => engine.Peers.Peers, _hellos?.Neighbours, log);
        engine.VxlanDriver = _expressHost.LendPort;
        _supervisor = new Thread(Supervise) { Name = "supervisor", IsBackground = true };
        if (_hellos is not null) _hellos.Neighbours.Changed = () => _wake.Set();
    }

    public TunnelConfig Config => _config;

    public IReadOnlyList<Peer> Peers => _engine.Peers.Peers;

    public Task Completion => _engine.Completion;

    /// <inheritdoc cref="TunnelRuntimeFactory"/>
    /// <exception cref="IOException">The host refused; the message says what and, where it is known, what to do.</exception>
    /// <exception cref="InvalidOperationException">The host contradicts the configuration.</exception>
    internal static ITunnelRuntime Start(TunnelConfig config, ILoggerFactory log)
    {
        var netlink = new NetlinkClient();
        TunnelRuntime? runtime = null;
        try
        {
            runtime = new TunnelRuntime(config, log.CreateLogger("tunnel"), netlink, CreateEngine(config));
            runtime.Start();
            return runtime;
        }
        catch
        {
            runtime?.Dispose();
            netlink.Dispose();
            throw;
        }
    }

    private void Start()
    {
        // Listening starts before the state is read, so that no change falls between.
        _monitor = new NetlinkMonitor(OnNetworkChange);
        _device.Ensure(_config);
        _engine.TunLost += OnTunLost;
        _engine.Start();
        _supervisor.Start();
        // The supervisor opens the express lane in its own time; packets need not wait for it.
        _wake.Set();
        TellOfMissingSourcePorts();
    }

    private void TellOfMissingSourcePorts()
    {
        CapabilityStatus found = _engine.ReadStatus().Capabilities;
        if (found.SourcePortShortage is { } reason) _log.SourcePortsMissing(found.SourcePorts, _config.Engine.SourcePorts, reason);
    }

    /// <summary>None with VXLAN, whose packets are no more unfinished than those of the kernel's own device, which has no such question.</summary>
    private static LaneHellos? CreateHellos(TunnelConfig config, PacketEngine engine)
    {
        if (config.Engine.Encapsulation != EncapsulationKind.Udp || ExpressLane.WhyImpossible(config.Engine, config.Networks) is not null) return null;
        IPAddress device = config.Subnets.First(subnet => subnet.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork).BaseAddress;
        return new(device, config.Engine.Port, send => new(TimeProvider.System, () => engine.Peers, engine.CountEgressPackets, send));
    }

    private static PacketEngine CreateEngine(TunnelConfig config)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return PacketEngine.Create(config.Engine, config.Device, config.Subnets, config.Peers);
            }
            catch (ErrnoException refused) when (refused.Errno == Errno.EADDRINUSE && Stopwatch.GetElapsedTime(started) < s_portPatience)
            {
                Thread.Sleep(s_settleTime);
            }
            catch (ErrnoException refused)
            {
                throw HostRefusal.Explain(refused, config);
            }
        }
    }

    public TunnelStatus ReadStatus()
    {
        string name = _config.Device;
        Link? link = _netlink.Links.Find(name);
        IReadOnlyList<string> addresses = link is null ? [] : [.. _netlink.Addresses.List(link).Select(address => address.ToString())];
        var device = new DeviceStatus(name, link?.Index ?? 0, link?.Mtu ?? 0, addresses);
        return new(device, _engine.ReadStatus(), [.. _engine.ReadPeers().Select(peer => new PeerTraffic(
            new(peer.Subnet, peer.PublicIP, peer.VtepMac), peer.EgressPackets, peer.EgressBytes, peer.IngressPackets, peer.IngressBytes, peer.SendErrors))],
            _express.State);
    }

    public void ReplacePeers(IReadOnlyList<Peer> peers)
    {
        _engine.Publish(peers);
        _wake.Set();
    }

    public void Follow(IPAddress local, int mtu)
    {
        TunnelConfig moved = _config with { Mtu = mtu, Engine = _config.Engine with { Local = local } };
        try
        {
            _engine.Rebind(local);
        }
        catch (ErrnoException refused)
        {
            throw HostRefusal.Explain(refused, moved);
        }
        _config = moved;
        TellOfMissingSourcePorts();
        Repair();
    }

    private void OnTunLost()
    {
        _device.LoseTun();
        Repair();
    }

    private void Repair()
    {
        _repairDue = true;
        _wake.Set();
    }

    private void OnNetworkChange(NetworkChange change)
    {
        if (change is MonitorFailed failed) _log.MonitorFailed(failed.Error.Message);
        bool concernsDevice = _device.IsConcernedBy(change, _config), concernsLane = _express.IsConcernedBy(change, _device.DeviceIndex);
        if (concernsDevice) Repair();
        else if (concernsLane) _wake.Set();
    }

    private void Supervise()
    {
        long lastAudit = Stopwatch.GetTimestamp(), lastRepair = lastAudit;
        bool isRepaired = true, isAsking = false;
        while (true)
        {
            TimeSpan rest = isRepaired ? s_auditInterval - Stopwatch.GetElapsedTime(lastAudit) : s_retryInterval - Stopwatch.GetElapsedTime(lastRepair);
            if (isAsking && rest > s_askPause) rest = s_askPause;
            bool notified = _wake.WaitOne(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
            if (_stopping) return;
            if (notified) Thread.Sleep(s_settleTime);
            bool isAudit = Stopwatch.GetElapsedTime(lastAudit) >= s_auditInterval;
            bool isRetry = !isRepaired && Stopwatch.GetElapsedTime(lastRepair) >= s_retryInterval;
            if (isAudit)
            {
                lastAudit = Stopwatch.GetTimestamp();
                _engine.CheckWorkers();
            }
            if (isAudit || isRetry || _repairDue)
            {
                _repairDue = false;
                isRepaired = _device.TryRepair(_config);
                lastRepair = Stopwatch.GetTimestamp();
            }
            if (isAudit || isRetry || notified)
            {
                ChooseUrgency();
                _express.Look(_config, isAudit);
            }
            isAsking = _express.Ask();
        }
    }

    /// <summary>
    /// A worker in real time that has the kernel cut its super-packets within its system calls, and on the same machine also receive them, keeps programs from the processor for milliseconds: a tenth more
    /// throughput, and round trips beside it of 10 to 35 ms instead of 1 to 3 (docs/performance.md).
    /// </summary>
    private void ChooseUrgency()
    {
        if (!_config.Engine.RealTime) return;
        try
        {
            _engine.AvoidRealTime(_expressHost.CutsRuns(_config.Engine.Local));
        }
        catch (IOException)
        {
            // An interface that is just going. Asked again with the next change or audit.
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (_supervisor.IsAlive) _supervisor.Join();
        _monitor?.Dispose();
        // Before the lane closes, which those at its other end are told of.
        _hellos?.Dispose();
        _expressHost.Dispose();
        _engine.Dispose();
        _netlink.Dispose();
        _wake.Dispose();
    }
}
