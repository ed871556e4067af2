using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>Keeps what was logged, one line each.</summary>
internal sealed class LogLines : ILogger, ILoggerFactory
{
    private readonly List<string> _lines = [];

    public string[] All
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public int CountOf(string text) => All.Count(line => line.Contains(text, StringComparison.Ordinal));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add($"{logLevel}: {formatter(state, exception)}");
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
