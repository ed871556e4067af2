using System.CommandLine;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Commands;

/// <summary>What the commands that talk to a daemon share: the flag for its socket, and what a failure exits with.</summary>
internal static class ControlCall
{
    internal static Option<string> SocketOption() => new("--socket")
    {
        Description = "Control socket of the daemon",
        HelpName = "PATH",
        DefaultValueFactory = _ => TunnelDefaults.SocketPath,
    };

    internal static Option<bool> JsonOption() => new("--json")
    {
        Description = "Print JSON with a schema number instead of text",
        Arity = ArgumentArity.Zero,
    };

    /// <summary>Sends a request and lets <paramref name="show"/> print the answer.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static async Task<int> RunAsync(
        CommandContext context, string socket, ControlRequest request, Action<ControlResponse> show, CancellationToken cancel)
    {
        try
        {
            show(await ControlClient.SendAsync(socket, request, cancel).ConfigureAwait(false));
            return ExitCode.Success;
        }
        catch (ControlSocketException e)
        {
            return context.Fail(e.IsNotRunning ? ExitCode.NotRunning : e.IsInvalidInput ? ExitCode.BadInput : ExitCode.Failure, e.Message);
        }
    }
}
