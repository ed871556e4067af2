using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Flanneld;
using FlannelFast.Daemon.Flanneld.Hosting;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;

StandardStreams.EnsureOpen();
TerminalOutput.Install();

// The composition root: what is real here is replaced in tests.
var context = new CommandContext
{
    In = Console.OpenStandardInput,
    Out = Console.Out,
    Error = Console.Error,
    Colour = TerminalStyle.IsWanted(Console.IsOutputRedirected, Environment.GetEnvironmentVariable),
    Logging = DaemonLogging.Create,
    Signals = HostSignals.Register,
    Variable = Environment.GetEnvironmentVariable,
    Runtime = (config, log) =>
    {
        HostRequirements.Check();
        return TunnelRuntime.Start(config, log);
    },
    Flanneld = KernelParts.Create,
};
return FlanneldCommand.IsCalled(Environment.GetCommandLineArgs()[0])
    ? await FlanneldCommand.RunAsync(args, context)
    : await CommandTree.RunAsync(args, context);
