using FlannelFast.Control.Tunnels;
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

    internal required Func<HostSignals> Signals { get; init; }

    /// <summary>Reads an environment variable.</summary>
    internal required Func<string, string?> Variable { get; init; }

    internal required TunnelRuntimeFactory Runtime { get; init; }

    /// <summary>Writes the one line of a failed command.</summary>
    /// <returns>The exit code.</returns>
    internal int Fail(int exitCode, string message)
    {
        try
        {
            Error.WriteLine($"flannelfast: {message}");
        }
        catch (IOException)
        {
            // A full disk behind standard error: the exit code is all that can still be said.
        }
        return exitCode;
    }
}
