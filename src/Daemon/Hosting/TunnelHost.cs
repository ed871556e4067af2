using System.Diagnostics;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Systemd;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Hosting;

/// <summary>One life of a tunnel daemon: takes the control socket, starts the tunnel, waits for signals, stops.</summary>
/// <param name="config">The tunnel.</param>
/// <param name="configPath">The file it came from, which SIGHUP reads again; null if it came from flags.</param>
/// <param name="socketPath">The control socket.</param>
/// <param name="loggers">Where the daemon reports.</param>
internal sealed class TunnelHost(TunnelConfig config, string? configPath, string socketPath, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger("flannelfast");

    /// <summary>Runs until a signal or the end of the data path.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal async Task<int> RunAsync(CommandContext context, HostSignals signals)
    {
        long started = Stopwatch.GetTimestamp();
        ITunnelRuntime runtime;
        ControlSocketFile socket;
        try
        {
            // First the socket: a second daemon by mistake ends here, before it has touched a device.
            socket = ControlSocketFile.Listen(socketPath);
        }
        catch (ControlSocketException e)
        {
            return context.Fail(ExitCode.Failure, e.Message);
        }
        try
        {
            runtime = context.Runtime(config, loggers);
        }
        catch (Exception e)
        {
            socket.Dispose();
            HostLog.StartFailed(_log, e);
            return context.Fail(ExitCode.Failure, HostRequirements.Explain(e));
        }

        try
        {
            using (runtime) return await ServeAsync(runtime, socket, signals, started).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            HostLog.Failed(_log, e);
            return context.Fail(ExitCode.Failure, e.Message);
        }
    }

    private async Task<int> ServeAsync(ITunnelRuntime runtime, ControlSocketFile socket, HostSignals signals, long started)
    {
        SystemdNotifier manager = SystemdNotifier.FromEnvironment();
        var peers = new PeerEditor(config, runtime);
        var handler = new ControlHandler(runtime, peers, new StatusReporter(config, BuildInfo.Version));
        using ControlServer server = ControlServer.Start(socket, handler, loggers.CreateLogger("flannelfast.control"));
        string summary = TunnelSummary.Of(config, runtime.ReadStatus().Device);
        HostLog.Ready(_log, summary, socketPath, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        manager.Ready(summary);

        int exitCode = await WaitAsync(runtime, signals, new PeerReloader(config, configPath, peers, manager, _log)).ConfigureAwait(false);
        manager.Stopping();
        return exitCode;
    }

    private async Task<int> WaitAsync(ITunnelRuntime runtime, HostSignals signals, PeerReloader reloader)
    {
        Task reload = signals.Reloads.WaitToReadAsync().AsTask();
        while (true)
        {
            await Task.WhenAny(signals.Stopped, runtime.Completion, reload).ConfigureAwait(false);
            if (signals.Stopped.IsCompleted)
            {
                HostLog.Stopping(_log);
                return ExitCode.Success;
            }
            if (runtime.Completion.IsCompleted)
            {
                string reason = runtime.Completion.Exception?.GetBaseException().Message ?? "it ended by itself";
                HostLog.DataPathDied(_log, reason);
                return ExitCode.Failure;
            }
            // On another thread, so that a slow file system delays neither a stop nor the news that the data path died.
            reload = signals.Reloads.TryRead(out _)
                ? Task.Run(reloader.Reload)
                : signals.Reloads.WaitToReadAsync().AsTask();
        }
    }
}
