using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;

// The runtime's own Console.Out and Console.Error switch the keypad of a terminal to application mode at their first use (terminfo
// smkx): "ESC [ ? 1 h ESC =" before the output of every command. The console logger takes them as well.
Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });
Console.SetError(new StreamWriter(Console.OpenStandardError()) { AutoFlush = true });

// The composition root: what is real here is replaced in tests.
return await CommandTree.RunAsync(args, new CommandContext
{
    Out = Console.Out,
    Error = Console.Error,
    Colour = TerminalStyle.IsWanted(Console.IsOutputRedirected, Environment.GetEnvironmentVariable),
    Logging = DaemonLogging.Create,
    Signals = HostSignals.Register,
    Runtime = (config, log) =>
    {
        HostRequirements.Check();
        return TunnelRuntime.Start(config, log);
    },
});
