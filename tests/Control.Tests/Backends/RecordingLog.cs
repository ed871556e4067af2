using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>Keeps the lines that are logged.</summary>
internal sealed class RecordingLog : ILoggerFactory, ILogger
{
    internal ConcurrentQueue<string> Lines { get; } = new();

    internal int CountOf(string text) => Lines.Count(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{logLevel}: {formatter(state, exception)}");

    public void Dispose()
    {
    }
}
