using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace FlannelFast.Daemon.Hosting;

/// <summary>Logs to standard error: with priorities for the journal where it listens there, in single lines otherwise.</summary>
internal static class DaemonLogging
{
    internal static ILoggerFactory Create(LogLevel level)
    {
        bool isJournal = IsJournal(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), File.ResolveLinkTarget("/proc/self/fd/2", false)?.Name);
        var style = new TerminalStyle(TerminalStyle.IsWanted(Console.IsErrorRedirected, Environment.GetEnvironmentVariable));
        var formatter = new LogLineFormatter(isJournal, style, TimeProvider.System);
        var options = new ConsoleLoggerOptions
        {
            FormatterName = formatter.Name,
            LogToStandardErrorThreshold = LogLevel.Trace,
            // The default waits: whoever stops reading our standard error would stop repairs, and even the answer to SIGTERM.
            QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite,
        };
        // LoggerFactory.Create would build a service container for the same three objects: 5 of 17 ms until the daemon is ready, 0.3 MB of code.
        var factory = new LoggerFactory([], new LoggerFilterOptions { MinLevel = level });
        factory.AddProvider(new ConsoleLoggerProvider(new UnchangingOptions(options), [formatter]));
        return factory;
    }

    /// <summary>
    /// systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream given to the service. A child that inherits the
    /// variable with another standard error is not connected to the journal, so the inode is compared.
    /// </summary>
    /// <param name="journalStream">The variable.</param>
    /// <param name="standardError">What /proc/self/fd/2 links to, "socket:[4711]".</param>
    internal static bool IsJournal(string? journalStream, string? standardError) =>
        journalStream?.Split(':') is [_, var inode] && standardError == $"socket:[{inode}]";

    private sealed class UnchangingOptions(ConsoleLoggerOptions options) : IOptionsMonitor<ConsoleLoggerOptions>
    {
        public ConsoleLoggerOptions CurrentValue => options;

        public ConsoleLoggerOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<ConsoleLoggerOptions, string?> listener) => null;
    }
}
