using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Commands;
using FlannelFast.Daemon.Flanneld;
using FlannelFast.Daemon.Flanneld.Hosting;
using FlannelFast.Daemon.Hosting;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Tests.Commands;

/// <summary>Runs command lines in this process with a tunnel that needs no kernel, and keeps what they print.</summary>
internal sealed class CommandLineRig : IDisposable
{
    private readonly List<Task<int>> _daemons = [];

    public TemporaryDirectory Files { get; } = new();

    public string SocketPath => Files["c.sock"];

    public RecordingLoggers Log { get; } = new();

    public HostSignals Signals { get; } = new();

    /// <summary>What commands read from standard input.</summary>
    public string Input { get; set; } = "";

    /// <summary>The environment.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>What the start of a tunnel does.</summary>
    public TunnelRuntimeFactory Start { get; set; }

    /// <summary>The tunnel that was started last.</summary>
    public FakeTunnelRuntime? Runtime { get; private set; }

    /// <summary>What a flanneld is made of.</summary>
    public Func<FlanneldOptions, FlanneldParts>? Parts { get; set; }

    /// <summary>How many were started.</summary>
    public int Starts { get; private set; }

    public CommandLineRig() => Start = (config, _) =>
    {
        Starts++;
        return Runtime = new(config);
    };

    /// <summary>Flags of a valid udp tunnel.</summary>
    public static string[] Tunnel(params string[] more) =>
    [
        "tunnel", "--device", "ff0", "--local", "192.0.2.1", "--network", "10.5.0.0/16", "--subnet", "10.5.1.0/24", "--encap", "udp", .. more,
    ];

    /// <summary>Runs a command to its end.</summary>
    public async Task<(int ExitCode, string Out, string Error)> RunAsync(params string[] args)
    {
        using StringWriter output = new(), error = new();
        int exitCode = await CommandTree.RunAsync(args, Context(output, error));
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Starts "tunnel" and returns when it is ready.</summary>
    public async Task<Task<int>> StartDaemonAsync(params string[] args)
    {
        var daemon = Task.Run(() => CommandTree.RunAsync([.. args, "--socket", SocketPath], Context(TextWriter.Null, TextWriter.Null)));
        _daemons.Add(daemon);
        await Log.WaitForAsync("ready: ");
        return daemon;
    }

    public void Dispose()
    {
        Signals.RequestStop();
        Task.WaitAll([.. _daemons]);
        Runtime?.Dispose();
        Signals.Dispose();
        Log.Dispose();
        Files.Dispose();
    }

    private CommandContext Context(TextWriter output, TextWriter error) => new()
    {
        In = () => new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Input)),
        Out = output,
        Error = error,
        Colour = false,
        Logging = _ => Log,
        Signals = _ => Signals,
        Variable = name => Variables.GetValueOrDefault(name),
        Flanneld = (options, _) => Parts?.Invoke(options) ?? throw new IOException("no flanneld here"),
        Runtime = (config, log) => Start(config, log),
    };
}

/// <summary>Keeps log messages.</summary>
internal sealed class RecordingLoggers : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    public string[] Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public async Task<string> WaitForAsync(string beginning)
    {
        for (int i = 0; i < 1000; i++)
        {
            if (Lines.FirstOrDefault(l => l.StartsWith(beginning, StringComparison.Ordinal)) is { } line) return line;
            await Task.Delay(10);
        }
        throw new TimeoutException($"no \"{beginning}\" within 10 seconds in: {string.Join(" | ", Lines)}");
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add(formatter(state, exception));
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
