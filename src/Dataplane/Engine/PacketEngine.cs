using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Sockets;
using FlannelFast.Dataplane.Tun;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// A running packet engine: one TUN device, and for each of its queues UDP sockets and a worker thread. Owns all of them.
/// Members may be called from any thread, one at a time, except <see cref="ReadStatus"/>, <see cref="FollowDeviceMtu"/> and <see cref="AvoidRealTime"/>, which may be called at any time
/// before <see cref="Dispose"/>.
/// </summary>
public sealed class PacketEngine : IDisposable
{
    private EngineOptions _options;
    private readonly IReadOnlyList<IPNetwork> _localSubnets;
    private readonly TunDevice _tun;
    private readonly WorkerSockets[] _sockets;
    private readonly Worker[] _workers;
    private readonly int _collectionsAtStart;
    private readonly uint _noteKey;
    private readonly Lock _laneGate = new();
    private ExpressLane? _lane;
    private LentPort? _lent;

    private PacketEngine(EngineOptions options, IReadOnlyList<IPNetwork> localSubnets, PeerTable peers, TunDevice tun, WorkerSockets[] sockets, Worker[] workers, uint noteKey)
    {
        _noteKey = noteKey;
        _options = options;
        _localSubnets = localSubnets;
        Peers = peers;
        _tun = tun;
        _sockets = sockets;
        _workers = workers;
        _collectionsAtStart = Collections;
    }

    /// <summary>The interface name of the TUN device.</summary>
    public string DeviceName => _tun.Name;

    /// <summary>The table last published.</summary>
    public PeerTable Peers { get; private set; }

    /// <summary>Faults as soon as one worker fails; ends when all have stopped.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Raised on a worker's thread when the TUN device was deleted; answer with <see cref="RecreateTun"/> on another one.</summary>
    public event Action? TunLost;

    /// <summary>
    /// Has the kernel's VXLAN driver listen at the port of these options, until the result is disposed of, for roads with <see cref="ExpressRoad.Gro"/>; throws
    /// <see cref="IOException"/> where it cannot. Null: there are no such roads.
    /// </summary>
    public Func<EngineOptions, IDisposable>? VxlanDriver { get; set; }

    /// <summary>True while packets take the express lane. It closes by itself when the kernel refuses a change of peers.</summary>
    public bool IsExpressLaneOpen
    {
        get
        {
            lock (_laneGate) return _lane is { IsOpen: true };
        }
    }

    private static int Collections => GC.CollectionCount(0);

    /// <summary>Creates the device (down, without address) and the sockets. Nothing moves before <see cref="Start"/>.</summary>
    /// <param name="options">What the engine is.</param>
    /// <param name="device">Interface name, 1 to 15 characters; must not exist. "flannel%d" takes the first free number; see <see cref="DeviceName"/>.</param>
    /// <param name="localSubnets">Our own pod subnets, at most one per family.</param>
    /// <param name="peers">The table to start with.</param>
    /// <exception cref="IOException">The host refused; the message names what. Everything made so far is gone again.</exception>
    /// <exception cref="ArgumentException">Peers or subnets contradict each other.</exception>
    public static PacketEngine Create(EngineOptions options, string device, IReadOnlyList<IPNetwork> localSubnets, IReadOnlyList<Peer> peers)
    {
        var owned = new Stack<IDisposable>();
        try
        {
            PeerTable table = PeerTable.Build(localSubnets, peers, previous: null, options.Queues);
            TunDevice tun = TunDevice.Create(device, options.Queues, options.TunOffloads ? TunOffloads.Uso : TunOffloads.None);
            owned.Push(tun);
            var sockets = new WorkerSockets[options.Queues];
            for (int i = 0; i < sockets.Length; i++) owned.Push(sockets[i] = WorkerSockets.Bind(options));
            uint noteKey = options.Encapsulation == EncapsulationKind.Vxlan ? SegmentNote.NewKey() : 0;
            var workers = new Worker[options.Queues];
            for (int i = 0; i < workers.Length; i++)
            {
                workers[i] = CreateWorker(options, i, tun, sockets[i], table, localSubnets, noteKey);
                owned.Push(workers[i]);
            }
            return new(options, localSubnets, table, tun, sockets, workers, noteKey);
        }
        catch
        {
            foreach (IDisposable part in owned) part.Dispose();
            throw;
        }
    }

    private static Worker CreateWorker(
        EngineOptions options, int index, TunDevice tun, WorkerSockets sockets, PeerTable table, IReadOnlyList<IPNetwork> localSubnets, uint noteKey)
    {
        var workerOptions = new WorkerOptions
        {
            DestinationPort = options.Port,
            UnderlayIsIpv6 = sockets.Main.IsIpv6,
            SourceCheck = options.SourceCheck,
            CheckSourcePort = options.CheckSourcePort,
            SourcePorts = sockets.Fds.Length,
            VnetHeader = tun.HasVnetHeader,
            CoalesceTcp = options.Coalesce && tun.Offloads >= TunOffloads.Tso,
            CoalesceUdp = options.Coalesce && tun.Offloads >= TunOffloads.Uso,
            UdpSegment = sockets.Main.Segment,
            PauseMicroseconds = options.PauseMicroseconds,
            RealTime = options.RealTime,
            NoteKey = noteKey,
            DeviceAddress = DeviceAddress(localSubnets),
        };
        var control = new EventFd();
        var port = new HostPort(tun.QueueFd(index), sockets.Fds, control);
        return options.Encapsulation switch
        {
            EncapsulationKind.Udp => new PacketWorker<HostPort, IpInUdp>(index, control, table, port, new(options.InnerIpv6), workerOptions),
            _ => new PacketWorker<HostPort, Vxlan>(
                index, control, table, port, new Vxlan(options.Vni, options.Mac, options.IgnoreReservedBits), workerOptions),
        };
    }

    /// <summary>flannel's rule: the device's address is the base address of the subnet.</summary>
    private static uint DeviceAddress(IReadOnlyList<IPNetwork> localSubnets)
    {
        foreach (IPNetwork subnet in localSubnets)
        {
            if (subnet.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
                return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(subnet.BaseAddress.GetAddressBytes());
        }
        return 0;
    }

    /// <summary>
    /// Tells the MTU that the device has now, in bytes. Super-packets of TCP whose segments nobody knows are cut to fit it; without it they stay one packet.
    /// </summary>
    public void FollowDeviceMtu(int mtu)
    {
        foreach (Worker worker in _workers) worker.DeviceMtu = mtu;
    }

    /// <summary>Starts the workers.</summary>
    public void Start()
    {
        Completion = FirstFailureOrEndAsync([.. _workers.Select(worker => worker.Completion)]);
        foreach (Worker worker in _workers)
        {
            worker.OnTunLost = () => TunLost?.Invoke();
            worker.Start();
        }
    }

    /// <summary>Unlike <see cref="Task.WhenAll(Task[])"/>, which would keep a dead worker secret for as long as another one runs.</summary>
    internal static async Task FirstFailureOrEndAsync(List<Task> running)
    {
        while (running.Count > 0)
        {
            Task ended = await Task.WhenAny(running).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
            running.Remove(ended);
        }
    }

    /// <summary>Looks whether all workers are there; where one is not, <see cref="Completion"/> fails. For whoever looks after the tunnel, now and then.</summary>
    public void CheckWorkers()
    {
        foreach (Worker worker in _workers) worker.CheckThread();
    }

    /// <summary>Keeps busy workers from running in real time, or lets them again.</summary>
    public void AvoidRealTime(bool avoid)
    {
        foreach (Worker worker in _workers) worker.AvoidsRealTime = avoid;
    }

    /// <summary>Replaces all peers at once; workers use the new table from their next burst on. A bad list changes nothing.</summary>
    /// <exception cref="ArgumentException">Names the peer that cannot be, and why.</exception>
    public void Publish(IReadOnlyList<Peer> peers)
    {
        PeerTable table = PeerTable.Build(_localSubnets, peers, Peers, _options.Queues);
        lock (_laneGate)
        {
            Peers = table;
            foreach (Worker worker in _workers) worker.Publish(table);
            try
            {
                _lane?.Publish(table);
            }
            catch (ErrnoException)
            {
                // The peers are published and the lane is closed, which loses nothing. Whoever opened it sees IsExpressLaneOpen, tries again and is told why.
            }
        }
    }

    /// <summary>
    /// Lets ordinary packets of known peers pass inside the kernel: between the TUN device and one underlay interface, on the same wire, with the same checks. All others
    /// stay with the workers. Called again with the same road it only changes which endpoints take part; with another one it moves without losing a packet.
    /// Forgotten when the process ends, however it ends. <see cref="Publish"/> keeps it up to date, <see cref="Rebind"/> closes it.
    /// </summary>
    /// <param name="road">Where, or null to close it.</param>
    /// <param name="endpoints">Hosts that take part; packets of other peers stay with the workers.</param>
    /// <exception cref="IOException">The kernel refused, for example because it is too old (Linux 6.6 is needed). No lane is open then, and the engine is at the tunnel's port, or gets its datagrams through the program until a later call succeeds.</exception>
    /// <exception cref="InvalidOperationException">Options of this engine forbid it: off, an IPv6 underlay, a source check that is not strict, or no <see cref="VxlanDriver"/>.</exception>
    public void UseExpressLane(ExpressRoad? road, LaneEndpoints endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        lock (_laneGate)
        {
            if (road is null)
            {
                _lane?.Close();
                TakePortBack();
                return;
            }
            if (ExpressLane.WhyImpossible(_options, _localSubnets) is { } reason) throw new InvalidOperationException($"no express lane: {reason}");
            _lane ??= new(_options, _localSubnets);
            // What is steered on one interface would be lost on the other.
            if (_lent is not null && !(road.Gro && _lent.IsLent && road.UnderlayIndex == _lent.UnderlayIndex))
            {
                _lane.Close();
                TakePortBack();
            }
            try
            {
                if (road.Gro && _lent is null) LendPort(road);
                _lane.Use(road, endpoints, Peers, _lent?.Steering);
            }
            catch
            {
                TakePortBack();
                throw;
            }
        }
    }

    private void LendPort(ExpressRoad road)
    {
        if (VxlanDriver is not { } driver) throw new InvalidOperationException("no VXLAN driver to lend the port to");
        // A lane without is in front of nothing: it is opened anew in front of this.
        _lane!.Close();
        _lent = LentPort.MoveAside(_sockets, _options, road.UnderlayIndex, _noteKey);
        foreach (Worker worker in _workers) worker.LookAgain();
        _lent.Lend(driver, _options);
    }

    private void TakePortBack()
    {
        if (_lent is null) return;
        _lent.TakeBack(_options);
        _lent = null;
        foreach (Worker worker in _workers) worker.LookAgain();
    }

    /// <summary>Makes the deleted device again on the same queues, down and without address, and lets the workers use it.</summary>
    /// <exception cref="IOException">The kernel refused, for example because the name is taken.</exception>
    public void RecreateTun()
    {
        _tun.Recreate();
        foreach (Worker worker in _workers) worker.ReattachTun();
    }

    /// <summary>
    /// Binds the sockets to another underlay address of the same family and goes on with device, peers and counters as they are. When it
    /// throws, the engine goes on with the old address.
    /// </summary>
    /// <exception cref="IOException">The host refused the address.</exception>
    /// <exception cref="ArgumentException">The address is of the other family.</exception>
    public void Rebind(IPAddress local)
    {
        ArgumentNullException.ThrowIfNull(local);
        if (local.AddressFamily != _options.Local.AddressFamily) throw new ArgumentException($"an address of the family of {_options.Local} expected, not {local}");
        if (local.Equals(_options.Local)) return;
        EngineOptions moved = _options with { Local = local };
        lock (_laneGate)
        {
            // The driver has the port at all addresses.
            if (_lent is not null) _lane?.Close();
            TakePortBack();
            // Under the same lock: who opened the lane in between would lend the port again, at the old address.
            var fresh = new Queue<WorkerSockets>(_sockets.Length);
            try
            {
                // All of them before the first is put in place: the address is refused as a whole.
                foreach (WorkerSockets sockets in _sockets) fresh.Enqueue(sockets.BindAnew(moved));
                foreach (WorkerSockets sockets in _sockets) sockets.Become(fresh.Dequeue());
            }
            finally
            {
                foreach (WorkerSockets unused in fresh) unused.Dispose();
            }
            _options = moved;
            _lane?.Rebind(moved);
        }
        foreach (Worker worker in _workers) worker.LookAgain();
    }

    /// <summary>Reads all counters.</summary>
    public EngineStatus ReadStatus()
    {
        UdpPort port = _sockets[0].Main;
        var capabilities = new CapabilityStatus(
            _tun.HasVnetHeader, _tun.Offloads >= TunOffloads.Tso, _tun.Offloads >= TunOffloads.Uso,
            _workers.All(worker => worker.UsesUdpSegment), port.Gro, _workers.All(worker => worker.UsesRealTime && !worker.AvoidsRealTime),
            _sockets.Min(sockets => sockets.SourcePorts), _sockets.Select(sockets => sockets.Shortage).FirstOrDefault(shortage => shortage is not null),
            port.ReceiveBuffer, port.SendBuffer)
        { AvoidsRealTime = _workers.All(worker => worker.AvoidsRealTime) };
        lock (_laneGate)
        {
            return new(
                capabilities, [.. _workers.Select((worker, i) => worker.ReadStatus() with { SocketOverflow = _sockets[i].ReadOverflow() })],
                _workers.Sum(worker => worker.AllocatedBytes), Collections - _collectionsAtStart, _lane?.ReadStatus());
        }
    }

    /// <summary>Reads all peers and the counters of their endpoints, those of the express lane included.</summary>
    public IReadOnlyList<PeerStatus> ReadPeers()
    {
        lock (_laneGate)
        {
            IReadOnlyList<PeerStatus> peers = Peers.ReadStatus();
            return _lane is { } lane ? [.. peers.Select(lane.AddTo)] : peers;
        }
    }

    /// <summary>Packets sent to the host of a peer, by the workers and the express lane.</summary>
    /// <param name="table">A table that was published.</param>
    /// <param name="peer">Position in it.</param>
    /// <exception cref="IOException">The kernel refused to tell of the lane.</exception>
    public long CountEgressPackets(PeerTable table, int peer)
    {
        ArgumentNullException.ThrowIfNull(table);
        long packets = table.EgressPackets(table.EndpointOf(peer));
        lock (_laneGate) return packets + (_lane?.EgressPackets(table.Peers[peer].PublicIP) ?? 0);
    }

    /// <summary>Stops the workers after their burst, then closes sockets and device; the device is gone afterwards.</summary>
    public void Dispose()
    {
        lock (_laneGate)
        {
            _lane?.Dispose();
            _lane = null;
            _lent?.Abandon();
            _lent = null;
        }
        foreach (Worker worker in _workers) worker.Stop();
        foreach (Worker worker in _workers) worker.Dispose();
        foreach (WorkerSockets sockets in _sockets) sockets.Dispose();
        _tun.Dispose();
    }
}
