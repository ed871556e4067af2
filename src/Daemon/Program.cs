using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;

// The runtime's own Console.Out switches the keypad of a terminal to application mode at its first use (terminfo smkx) and leaves
// it so: seen as "ESC [ ? 1 h ESC =" before the output of every command. The console logger takes Console.Out as well.
Console.SetOut(new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true });

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
