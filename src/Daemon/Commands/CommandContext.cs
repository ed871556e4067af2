using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.Hosting;
using FlannelFast.Daemon.Hosting;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Commands;

/// <summary>Everything outside the process that commands use.</summary>
internal sealed record CommandContext
{
    /// <summary>Opens standard input.</summary>
    internal required Func<Stream> In { get; init; }

    internal required TextWriter Out { get; init; }

    internal required TextWriter Error { get; init; }

    /// <summary>True if escape sequences may be written to <see cref="Out"/>.</summary>
    internal required bool Colour { get; init; }

    internal required Func<LogLevel, ILoggerFactory> Logging { get; init; }

    /// <summary>Takes over the signals; true if SIGHUP shall read the configuration again.</summary>
    internal required Func<bool, HostSignals> Signals { get; init; }

    /// <summary>Reads an environment variable.</summary>
    internal required Func<string, string?> Variable { get; init; }

    internal required TunnelRuntimeFactory Runtime { get; init; }

    internal required FlanneldPartsFactory Flanneld { get; init; }

    /// <summary>Writes the one line of a failed command.</summary>
    /// <param name="exitCode">Handed back.</param>
    /// <param name="message">Without a full stop.</param>
    /// <param name="program">By what name it was called.</param>
    /// <returns>The exit code.</returns>
    internal int Fail(int exitCode, string message, string program = "flannelfast")
    {
        try
        {
            Error.WriteLine($"{program}: {message}");
        }
        catch (IOException)
        {
            // A full disk behind standard error: the exit code is all that can still be said.
        }
        return exitCode;
    }
}
