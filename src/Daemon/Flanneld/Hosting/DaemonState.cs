using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>How far the daemon has come, for those who ask from other threads. Each field is set once, in this order, and then stays.</summary>
internal sealed class DaemonState(TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private volatile string _phase = "starting";
    private volatile RegistrySubnetStore? _store;
    private volatile NetworkConfig? _network;
    private volatile ExternalInterface? _external;
    private volatile string _dataPath = "";
    private volatile IBackend? _backend;
    private volatile LeaseKeeper? _lease;
    private volatile FirewallKeeper? _firewall;
    private volatile SubnetFileWriter? _subnetFile;
    private volatile Reconciler? _reconciler;
    private volatile bool _isUp;

    /// <summary>What it is doing, in words: "waiting for the network config".</summary>
    internal string Phase { get => _phase; set => _phase = value; }

    /// <summary>Since this object was made, which is the first thing the daemon does.</summary>
    internal TimeSpan Uptime => time.GetElapsedTime(_started);

    /// <summary>The clock by which leases end.</summary>
    internal TimeProvider Time => time;

    internal RegistrySubnetStore? Store { get => _store; set => _store = value; }

    internal NetworkConfig? Network { get => _network; set => _network = value; }

    /// <summary>Set again when the underlay changes.</summary>
    internal ExternalInterface? External { get => _external; set => _external = value; }

    /// <summary>Who carries the packets; see <see cref="BackendChoice.DataPath"/>.</summary>
    internal string DataPath { get => _dataPath; set => _dataPath = value; }

    internal IBackend? Backend { get => _backend; set => _backend = value; }

    internal LeaseKeeper? Lease { get => _lease; set => _lease = value; }

    internal FirewallKeeper? Firewall { get => _firewall; set => _firewall = value; }

    internal SubnetFileWriter? SubnetFile { get => _subnetFile; set => _subnetFile = value; }

    internal Reconciler? Reconciler { get => _reconciler; set => _reconciler = value; }

    /// <summary>Everything was started.</summary>
    internal bool IsUp { get => _isUp; set => _isUp = value; }

    /// <summary>What /readyz tells: up, and subnet.env says so.</summary>
    internal bool IsReady => IsUp && SubnetFile is { IsWritten: true };

    /// <summary>The leases of all hosts.</summary>
    internal LeaseTable Leases { get; } = new();
}
