using FlannelFast.Control.Backends;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Files;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Health;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.Reports;
using FlannelFast.Daemon.Hosting;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// One life of a flanneld, in the order of stock (main.go): control socket, health server, network config, interface, device, lease, firewall, subnet.env, READY,
/// then <see cref="FlanneldRun"/> until a signal or the loss of the lease. At the end everything that carries packets stays as it is, except what
/// lives in this process.
/// </summary>
internal sealed class FlanneldHost(FlanneldOptions options, FlanneldParts parts, ILoggerFactory loggers)
{
    /// <summary>What stock ends with when it panics, as it does when its health server cannot listen.</summary>
    private const int PanicExitCode = 2;

    private readonly ILogger _log = loggers.CreateLogger("flanneld");
    private readonly DaemonState _state = new(parts.Time);

    /// <summary>Runs until a signal, the loss of the lease or a failure.</summary>
    /// <returns>The exit code: 0 after a signal and after a lost lease, as stock.</returns>
    internal async Task<int> RunAsync(HostSignals signals)
    {
        FlanneldLog.Started(_log, BuildInfo.Version, options.Summary);
        foreach (string warning in options.Warnings) FlanneldLog.Warning(_log, warning);
        using var stop = new CancellationTokenSource();
        _ = signals.Stopped.ContinueWith(_ => Stop(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            // First the socket: a second daemon by mistake ends here, before it has touched anything.
            using ControlServer control = StartControl();
            using HealthServer? health = StartHealth();
            return await StartAsync(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            FlanneldLog.Exiting(_log);
            return ExitCode.Success;
        }
        catch (HealthServerException e)
        {
            return Fail(PanicExitCode, e);
        }
        catch (Exception e)
        {
            return Fail(ExitCode.Failure, e);
        }
        finally
        {
            parts.Manager.Stopping();
        }

        void Stop()
        {
            // As stock: who signals a second time does not want to wait.
            signals.Dispose();
            stop.Cancel();
        }
    }

    private async Task<int> StartAsync(CancellationToken stop)
    {
        var file = new SubnetFile(options.SubnetFile);
        PreviousSubnets previous = ReadPrevious(file);

        Enter("waiting for the network config");
        RegistrySubnetStore store = parts.OpenStore();
        await using var _ = store.ConfigureAwait(false);
        _state.Store = store;
        NetworkConfig network = await new ConfigWaiter(store, parts.Time, parts.Manager, _log).WaitAsync(stop).ConfigureAwait(false);
        _state.Network = network;
        FlanneldLog.ConfigFound(_log, store.Description, network.DescribeNetworks(), network.Backend.Type);
        parts.Claims.Take($"this host's lease in {store.Description}", "stop it, or give this one an -etcd-prefix or a -store-dir of its own");

        Enter("choosing the interface");
        var selector = new InterfaceSelector(parts.Network, options.InterfaceRules, loggers.CreateLogger("flanneld.interface"));
        ExternalInterface external = selector.Select(network.Families);
        _state.External = external;

        Enter($"preparing the {network.Backend.Type} backend");
        foreach (string device in BackendDevices.Of(network)) parts.Claims.Take($"the device {device}", "stop it, or give the two networks different VNIs");
        var backendOptions = new BackendOptions { Dataplane = options.Dataplane, Tune = options.Tune };
        BackendChoice choice = parts.FindBackend(network.Backend.Type, backendOptions);
        FlanneldLog.DataPath(_log, network.Backend.Type, choice.DataPath);
        using IBackend backend = choice.Prepare(new(network, external, backendOptions, loggers));
        (_state.DataPath, _state.Backend) = (choice.DataPath, backend);

        Enter("waiting for a subnet");
        var request = new LeaseRequest(network, LeaseContent.Of(external, backend.Announcement), previous.Lease);
        Lease lease = await new LeaseWaiter(store, parts.Time, parts.Manager, _log).WaitAsync(request, stop).ConfigureAwait(false);
        FlanneldLog.LeaseAcquired(_log, $"{lease.Subnet}");
        _state.Lease = new(store, network, lease, options.Lease, parts.Time, parts.Random, loggers);
        backend.Start(lease);

        Enter("setting up the firewall");
        using FirewallKeeper firewall = parts.Firewall(new(network, lease.Subnet, previous, options.Firewall));
        _state.Firewall = firewall;
        await firewall.EnsureAsync(stop).ConfigureAwait(false);

        _state.SubnetFile = new(file, parts.Time, _log);
        var underlay = new UnderlayFollower(new(parts.Network, selector, network.Families, loggers.CreateLogger("flanneld.interface")), parts.Time);
        using var run = new FlanneldRun(options, parts, _state, underlay, loggers);
        run.Start();
        Enter("running");
        _state.IsUp = true;
        string summary = LifeSummary.Of(_state);
        FlanneldLog.Ready(_log, summary, options.ControlSocket, (long)_state.Uptime.TotalMilliseconds);
        parts.Manager.Ready(summary);
        return await run.WaitAsync(stop).ConfigureAwait(false);
    }

    private void Enter(string phase)
    {
        _state.Phase = phase;
        parts.Manager.Status(phase);
    }

    private PreviousSubnets ReadPrevious(SubnetFile file)
    {
        try
        {
            return file.Read();
        }
        catch (IOException e)
        {
            FlanneldLog.SubnetFileUnreadable(_log, e.Message);
            return PreviousSubnets.None;
        }
    }

    private ControlServer StartControl()
    {
        ControlSocketFile socket = ControlSocketFile.Listen(options.ControlSocket, "-control-socket");
        return ControlServer.Start(socket, new FlanneldControlHandler(_state), loggers.CreateLogger("flanneld.control"));
    }

    private HealthServer? StartHealth()
    {
        if (options.HealthPort == 0) return null;
        HealthServer server = HealthServer.Start(new(options.HealthAddress, options.HealthPort), () => _state.IsReady, loggers.CreateLogger("flanneld.health"));
        FlanneldLog.HealthServer(_log, $"{server.EndPoint}");
        return server;
    }

    private int Fail(int exitCode, Exception e)
    {
        FlanneldLog.Fatal(_log, HostRequirements.Explain(e));
        FlanneldLog.Failed(_log, e);
        return exitCode;
    }
}
