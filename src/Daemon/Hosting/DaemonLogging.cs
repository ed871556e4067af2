using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FlannelFast.Daemon.Hosting;

/// <summary>Logs to standard error: with priorities for the journal where it listens there, in single lines otherwise.</summary>
internal static class DaemonLogging
{
    internal static ILoggerFactory Create(LogLevel level) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(level);
        if (IsJournal(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), File.ResolveLinkTarget("/proc/self/fd/2", false)?.Name))
        {
            builder.AddSystemdConsole();
        }
        else
        {
            bool colour = TerminalStyle.IsWanted(Console.IsErrorRedirected, Environment.GetEnvironmentVariable);
            builder.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.TimestampFormat = "HH:mm:ss.fff ";
                options.ColorBehavior = colour ? LoggerColorBehavior.Enabled : LoggerColorBehavior.Disabled;
            });
        }
        builder.Services.Configure<ConsoleLoggerOptions>(options =>
        {
            options.LogToStandardErrorThreshold = LogLevel.Trace;
            // The default waits: whoever stops reading our standard error would stop repairs, and even the answer to SIGTERM.
            options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    });

    /// <summary>
    /// systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream given to the service. A child that inherits the
    /// variable with another standard error is not connected to the journal, so the inode is compared.
    /// </summary>
    /// <param name="journalStream">The variable.</param>
    /// <param name="standardError">What /proc/self/fd/2 links to, "socket:[4711]".</param>
    internal static bool IsJournal(string? journalStream, string? standardError) =>
        journalStream?.Split(':') is [_, var inode] && standardError == $"socket:[{inode}]";
}
