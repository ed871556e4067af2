using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace FlannelFast.EndToEnd.Support.Clusters;

/// <summary>A running <c>dist/flanneld</c> on a node. Disposing it kills it if it still runs.</summary>
internal sealed class FlanneldProcess : IDisposable
{
    private static readonly TimeSpan s_readyLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(5);

    private readonly ClusterNode _node;
    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly string _socket;

    /// <summary>Starts it.</summary>
    /// <param name="node">The host.</param>
    /// <param name="flags">Its command line.</param>
    /// <param name="environment">More variables.</param>
    /// <param name="program">By default dist/flanneld.</param>
    public FlanneldProcess(ClusterNode node, string[] flags, IReadOnlyDictionary<string, string>? environment = null, string? program = null)
    {
        _node = node;
        string named = flags.FirstOrDefault(flag => flag.StartsWith("-control-socket=", StringComparison.Ordinal)) ?? "";
        _socket = named.Length > 0 ? named[(named.IndexOf('=') + 1)..] : Path.Combine(node.Directory, "flannelfast/flannelfast.sock");
        _process = node.Start(environment ?? new Dictionary<string, string>(), program ?? Binary, flags);
        _process.ErrorDataReceived += (_, line) => Append(line.Data);
        _process.OutputDataReceived += (_, line) => Append(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    /// <summary>dist/flanneld.</summary>
    public static string Binary { get; } = Path.Combine(Path.GetDirectoryName(Daemon.Binary)!, "flanneld");

    public int Pid => _process.Id;

    public bool IsRunning => !_process.HasExited;

    /// <summary>Everything it has written to its standard output and error.</summary>
    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    /// <summary>Waits until the log says that it is ready.</summary>
    public void WaitUntilReady() => WaitForLog("ready: ", s_readyLimit);

    /// <summary>Waits until a text is in the log.</summary>
    public void WaitForLog(string text, TimeSpan? limit = null)
    {
        Eventually.True(() => _process.HasExited || Log.Contains(text, StringComparison.Ordinal), limit ?? TimeSpan.FromSeconds(10), () => $"no \"{text}\" from flanneld on {_node.Address}\n{Log}");
        if (!Log.Contains(text, StringComparison.Ordinal)) throw new InvalidOperationException($"flanneld on {_node.Address} ended with {_process.ExitCode}\n{Log}");
    }

    /// <summary>What <c>flannelfast status --json</c> says of it.</summary>
    public JsonElement Status()
    {
        using JsonDocument document = JsonDocument.Parse(Daemon.Command("status", "--json", "--socket", _socket).OrThrow().Output);
        return document.RootElement.Clone();
    }

    /// <summary>What it says of it for people.</summary>
    public string StatusText() => Daemon.Command("status", "--socket", _socket).OrThrow().Output;

    /// <summary>Sends a signal, waits for the end and returns the exit code.</summary>
    public int Stop(int signal = Native.SIGTERM)
    {
        Native.Kill(Pid, signal);
        return WaitForExit(s_stopLimit);
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    public int WaitForExit(TimeSpan limit)
    {
        if (!_process.WaitForExit(limit)) throw new TimeoutException($"flanneld on {_node.Address} does not end\n{Log}");
        // Without a limit: returns when the streams have ended too.
        _process.WaitForExit();
        return _process.ExitCode;
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

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_log) _log.AppendLine(line);
    }
}
