using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Claims;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;
using FlannelFast.Control.Systemd;
using FlannelFast.Daemon.Flanneld;
using FlannelFast.Daemon.Flanneld.Hosting;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Tests.Commands;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Daemon.Tests.Flanneld.Hosting;

/// <summary>A flanneld in this process, on a host that exists on paper only, with leases in a real directory.</summary>
internal sealed class FlanneldRig : IDisposable
{
    private readonly List<string> _events = [];
    private readonly List<Task<int>> _runs = [];
    private Action _notifyNetwork = () => { };

    public FlanneldRig()
    {
        Eth0 = Network.AddLink("eth0", "192.0.2.1");
        Network.AddDefaultRoute(Eth0);
        Manager = new(Files["notify"]);
        Firewall = new(Happened);
        Store = new RegistrySubnetStore(new DirectoryRegistry(Files["store"], TimeProvider.System, Random.Shared), TimeProvider.System, Random.Shared, NullLoggerFactory.Instance);
    }

    public TemporaryDirectory Files { get; } = new();

    public FakeNetwork Network { get; } = new();

    public Link Eth0 { get; }

    public ServiceManager Manager { get; }

    public ScriptedFirewall Firewall { get; }

    public RecordingLoggers Log { get; } = new();

    public HostSignals Signals { get; } = new();

    /// <summary>Another view of the store, as another host has it.</summary>
    public RegistrySubnetStore Store { get; }

    /// <summary>The backend that was prepared last.</summary>
    public ScriptedBackend? Backend { get; private set; }

    /// <summary>What the preparation of a backend throws instead.</summary>
    public Exception? BackendRefusal { get; set; }

    public TimeSpan? WatchdogInterval { get; set; }

    public string SubnetFile => Files["subnet.env"];

    public string ControlSocket => Files["c.sock"];

    /// <summary>What happened outside the process, in order.</summary>
    public string[] Events
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    public void WriteConfig(string json = """{"Network":"10.5.0.0/16","Backend":{"Type":"scripted"}}""") => new DirectoryRegistry(Files["store"], TimeProvider.System, Random.Shared)
        .WriteConfigAsync(System.Text.Encoding.UTF8.GetBytes(json), TestContext.Current.CancellationToken).Wait();

    /// <summary>Starts the daemon.</summary>
    public Task<int> Start(params string[] more)
    {
        FlanneldOptions options = new FlanneldFlags().Parse(
            [$"-store-dir={Files["store"]}", $"-subnet-file={SubnetFile}", $"-control-socket={ControlSocket}", .. more], _ => null)!;
        var run = Task.Run(async () =>
        {
            using FlanneldParts parts = Parts(options);
            return await new FlanneldHost(options, parts, Log).RunAsync(Signals);
        });
        _runs.Add(run);
        return run;
    }

    /// <summary>Starts the daemon and waits until it is ready.</summary>
    public async Task<Task<int>> StartReadyAsync(params string[] more)
    {
        Task<int> run = Start(more);
        await Task.WhenAny(run, Log.WaitForAsync("ready: "));
        Assert.False(run.IsCompleted, string.Join('\n', Log.Lines));
        return run;
    }

    public async Task<FlanneldReport> StatusAsync() =>
        (await ControlClient.SendAsync(ControlSocket, new() { Command = ControlProtocol.Status }, TestContext.Current.CancellationToken)).Flanneld!;

    /// <summary>The leases in the store.</summary>
    public async Task<IReadOnlyList<Lease>> LeasesAsync()
    {
        NetworkConfig network = await Store.ReadNetworkConfigAsync(TestContext.Current.CancellationToken);
        await foreach (LeaseUpdate update in Store.WatchAsync(network, TestContext.Current.CancellationToken))
            return ((LeaseUpdate.Snapshot)update).Leases;
        throw new InvalidOperationException("the store told nothing");
    }

    public void NotifyNetwork() => _notifyNetwork();

    public static async Task EventuallyAsync(Func<bool> condition, Func<string> message)
    {
        for (int i = 0; i < 1000 && !condition(); i++) await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(condition(), message());
    }

    public void Dispose()
    {
        Signals.RequestStop();
        Task.WaitAll([.. _runs]);
        Signals.Dispose();
        Manager.Dispose();
        Log.Dispose();
        Files.Dispose();
    }

    public FlanneldParts Parts(FlanneldOptions options) => new()
    {
        OpenStore = () => StoreSelection.OpenStore(options.Store, TimeProvider.System, NullLoggerFactory.Instance, Random.Shared),
        Network = Network,
        WatchNetwork = notify =>
        {
            _notifyNetwork = notify;
            return new Subscription();
        },
        Claims = new HostClaims(Files["claims"], "here"),
        FindBackend = (_, _) => BackendRefusal is null ? new(Prepare, "paper") : throw BackendRefusal,
        Firewall = settings => new FirewallKeeper(Firewall, null, null, settings, TimeProvider.System, NullLogger.Instance),
        Manager = new SystemdNotifier(Manager.Path),
        WatchdogInterval = WatchdogInterval,
        Time = TimeProvider.System,
        Random = Random.Shared,
    };

    private IBackend Prepare(BackendContext context)
    {
        Happened($"backend prepared on {context.External.Address}");
        return Backend = new(context, Happened);
    }

    private void Happened(string what)
    {
        string file = File.Exists(SubnetFile) ? ", subnet file there" : "";
        lock (_events) _events.Add(what + file);
    }

    private sealed class Subscription : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
