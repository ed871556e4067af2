using System.Diagnostics;
using System.Text;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A running <c>flannelfast tunnel</c> in a namespace. Disposing it kills it if it still runs.</summary>
internal sealed class Daemon : IDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly string _socket;

    private Daemon(Process process, string socket)
    {
        (_process, _socket) = (process, socket);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    /// <summary>Path of the published binary.</summary>
    public static string Binary { get; } = FindBinary();

    /// <summary>Process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>Everything it has written to its standard output and error.</summary>
    public string Log
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>Starts it with these flags of <c>flannelfast tunnel</c> and waits until it answers on its socket.</summary>
    public static Daemon Start(Netns netns, string socket, params string[] flags) => StartBy([], netns, socket, flags);

    /// <summary>The same through a program that changes what it may do, for example setpriv(1) with its arguments.</summary>
    public static Daemon StartBy(string[] wrapper, Netns netns, string socket, params string[] flags)
    {
        string[] command = [.. wrapper, Binary, "tunnel", .. flags];
        var daemon = new Daemon(Shell.Start("ip", netns.CommandLine(command[0], command[1..])), socket);
        try
        {
            Eventually.True(() => daemon.HasEnded() || daemon.Answers(), s_startLimit, () => $"the daemon does not answer\n{daemon.Log}");
            if (daemon.HasEnded()) throw new InvalidOperationException($"the daemon ended with {daemon._process.ExitCode}\n{daemon.Log}");
            return daemon;
        }
        catch
        {
            daemon.Dispose();
            throw;
        }
    }

    /// <summary>Runs the binary outside any namespace of the tests: help, version, clients of a socket.</summary>
    public static CommandResult Command(params string[] arguments) => Shell.Try(Binary, arguments);

    /// <summary>Runs a client command against this daemon.</summary>
    public CommandResult Client(params string[] arguments) => Command([.. arguments, "--socket", _socket]);

    /// <summary>What <c>status --json</c> says.</summary>
    public DaemonStatus Status() => DaemonStatus.Parse(Client("status", "--json").OrThrow().Output);

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal) => Native.Kill(Pid, signal);

    /// <summary>Sends a signal, waits for the end and returns the exit code.</summary>
    public int Stop(int signal = Native.SIGTERM)
    {
        Signal(signal);
        if (!_process.WaitForExit(s_stopLimit)) throw new TimeoutException($"the daemon does not end on signal {signal}\n{Log}");
        return _process.ExitCode;
    }

    /// <summary>Seconds of processor time used so far, user and kernel, all threads.</summary>
    public double ProcessorSeconds()
    {
        _process.Refresh();
        return _process.TotalProcessorTime.TotalSeconds;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private bool HasEnded() => _process.HasExited;

    private bool Answers() => File.Exists(_socket) && Client("status").ExitCode == 0;

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_error) _error.AppendLine(line);
    }

    private static string FindBinary()
    {
        string binary = SourceTree.PathOf("dist", "flannelfast");
        return File.Exists(binary) ? binary : throw new InvalidOperationException($"{binary} is missing: run ./build.sh");
    }
}
