using System.Globalization;
using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace FlannelFast.Daemon.Hosting;

/// <summary>
/// One line an event: <c>12:00:00.250 info: tunnel[3] message exception</c>, or for the journal
/// <c>&lt;6&gt;tunnel[3] message exception</c>, as the library's own formatters write it.
/// </summary>
/// <param name="forJournal">Priorities (sd-daemon(3)) instead of time and level: the journal keeps its own time.</param>
/// <param name="style">For the level; not used for the journal.</param>
/// <param name="time">Whose local time is written.</param>
internal sealed class LogLineFormatter(bool forJournal, TerminalStyle style, TimeProvider time) : ConsoleFormatter("line")
{
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
        WriteLine(textWriter, logEntry.LogLevel, logEntry.Category, logEntry.EventId.Id, logEntry.Formatter(logEntry.State, logEntry.Exception), logEntry.Exception);

    private void WriteLine(TextWriter output, LogLevel level, string category, int number, string message, Exception? exception)
    {
        if (forJournal) output.Write(Priority(level));
        else output.Write($"{time.GetLocalNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)} {LevelName(level)}: ");
        // The reader of a log counts on one line an event, whatever text of others a message quotes.
        output.Write($"{category}[{number}] {message.ReplaceLineEndings(" ")}");
        if (exception is not null) output.Write($" {exception.ToString().ReplaceLineEndings(" ")}");
        output.Write('\n');
    }

    private static string Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => "<2>",
        LogLevel.Error => "<3>",
        LogLevel.Warning => "<4>",
        LogLevel.Information => "<6>",
        _ => "<7>",
    };

    private string LevelName(LogLevel level) => level switch
    {
        LogLevel.Critical => style.Bad("crit"),
        LogLevel.Error => style.Bad("fail"),
        LogLevel.Warning => style.Warning("warn"),
        LogLevel.Information => style.Good("info"),
        LogLevel.Debug => style.Faint("dbug"),
        _ => style.Faint("trce"),
    };
}
