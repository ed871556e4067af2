using FlannelFast.Daemon.Hosting;
using FlannelFast.Daemon.Rendering;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Daemon.Tests.Hosting;

/// <summary>The expected texts are those of the console logger's own single-line and systemd formats.</summary>
public sealed class LogLineFormatterTests
{
    [Theory]
    [InlineData(LogLevel.Trace, "trce", "<7>")]
    [InlineData(LogLevel.Debug, "dbug", "<7>")]
    [InlineData(LogLevel.Information, "info", "<6>")]
    [InlineData(LogLevel.Warning, "warn", "<4>")]
    [InlineData(LogLevel.Error, "fail", "<3>")]
    [InlineData(LogLevel.Critical, "crit", "<2>")]
    public void An_event_is_a_line_with_local_time_and_level_or_a_priority(LogLevel level, string name, string priority)
    {
        Assert.Equal($"12:00:00.250 {name}: tunnel[7] peers 3\n", Format(level, forJournal: false));
        Assert.Equal($"{priority}tunnel[7] peers 3\n", Format(level, forJournal: true));
    }

    [Theory]
    [InlineData("a\nb", null, "a b")]
    [InlineData("a\r\nb\u2028c", null, "a b c")]
    [InlineData("a", "first\n   at second", "a System.IO.IOException: first    at second")]
    public void It_stays_one_line_whatever_it_says(string message, string? failure, string expected)
    {
        IOException? exception = failure is null ? null : new(failure);
        Assert.Equal($"12:00:00.250 info: tunnel[7] {expected}\n", Format(LogLevel.Information, forJournal: false, message, exception));
        Assert.Equal($"<6>tunnel[7] {expected}\n", Format(LogLevel.Information, forJournal: true, message, exception));
    }

    [Fact]
    public void Colour_is_for_the_level_alone_and_never_for_the_journal()
    {
        Assert.Equal("12:00:00.250 \e[33mwarn\e[0m: tunnel[7] peers 3\n", Format(LogLevel.Warning, forJournal: false, colour: true));
        Assert.Equal("<4>tunnel[7] peers 3\n", Format(LogLevel.Warning, forJournal: true, colour: true));
    }

    private static string Format(LogLevel level, bool forJournal, string message = "peers 3", Exception? exception = null, bool colour = false)
    {
        using StringWriter output = new();
        new LogLineFormatter(forJournal, new TerminalStyle(colour), new NoonInBerlin())
            .Write(new LogEntry<string>(level, "tunnel", new(7, "Peers"), message, exception, (state, _) => state), null, output);
        return output.ToString();
    }

    private sealed class NoonInBerlin : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.CreateCustomTimeZone("CET", TimeSpan.FromHours(1), null, null);

        public override DateTimeOffset GetUtcNow() => new(2026, 1, 1, 11, 0, 0, 250, TimeSpan.Zero);
    }
}
