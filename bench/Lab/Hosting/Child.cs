using System.Diagnostics;
using System.Text;

namespace FlannelFast.Lab.Hosting;

/// <summary>A program that runs while others do: a daemon, a traffic source or sink. Disposing it kills it and its descendants.</summary>
internal sealed class Child : IDisposable
{
    // A contender that logs every packet must not fill the memory of the lab.
    private const int KeptOutput = 1 << 20;

    private readonly Process _process;
    private readonly StringBuilder _output = new(), _error = new();
    private readonly TaskCompletionSource<string> _firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _command;

    private readonly Action<string>? _onLine;

    private Child(Process process, string command, Action<string>? onLine)
    {
        (_process, _command, _onLine) = (process, command, onLine);
        process.OutputDataReceived += (_, line) => Keep(_output, line.Data, isOutput: true);
        process.ErrorDataReceived += (_, line) => Keep(_error, line.Data, isOutput: false);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    /// <summary>Process id.</summary>
    internal int Pid => _process.Id;

    /// <summary>Whether it has ended.</summary>
    internal bool HasEnded => _process.HasExited;

    /// <summary>How it ended: "exit code 1: …", with what it wrote to standard error. Only after its end.</summary>
    internal string End
    {
        get
        {
            lock (_output) return $"exit code {_process.ExitCode}{(_error.Length > 0 ? ": " : "")}{_error.ToString().TrimEnd()}";
        }
    }

    /// <summary>Everything it wrote so far, standard error last.</summary>
    internal string Log
    {
        get
        {
            lock (_output) return $"{_output}{_error}".TrimEnd();
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="onLine">Told every line of standard output, on a thread of the pool.</param>
    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Arguments.</param>
    /// <exception cref="LabException">It cannot be started.</exception>
    internal static Child Start(Action<string>? onLine, string program, params IReadOnlyList<string> arguments) =>
        new(Tool.Start(program, arguments), $"{program} {string.Join(' ', arguments)}", onLine);

    /// <summary>Waits for its end.</summary>
    /// <param name="limit">How long.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <param name="accepted">Another exit code than 0 that is no failure.</param>
    /// <returns>Its standard output.</returns>
    /// <exception cref="LabException">It failed, or did not end within the limit.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal async Task<string> ResultAsync(TimeSpan limit, CancellationToken cancel, int accepted = 0)
    {
        try
        {
            await _process.WaitForExitAsync(cancel).WaitAsync(limit, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new LabException($"{_command} did not end within {limit.TotalSeconds:0} s\n{Log}");
        }
        if (_process.ExitCode != 0 && _process.ExitCode != accepted)
        {
            // Ctrl-C reaches the whole group: what the children say then is a consequence, not a cause.
            await Task.Delay(50, cancel).ConfigureAwait(false);
            throw new LabException($"{_command}: exit code {_process.ExitCode}: {Log}");
        }
        lock (_output) return _output.ToString();
    }

    /// <summary>Waits for its first line of standard output.</summary>
    /// <exception cref="LabException">It ended before, or wrote none within the limit.</exception>
    /// <exception cref="OperationCanceledException">The run is being stopped.</exception>
    internal async Task<string> FirstLineAsync(TimeSpan limit, CancellationToken cancel)
    {
        try
        {
            return await _firstLine.Task.WaitAsync(limit, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new LabException($"{_command} wrote nothing within {limit.TotalSeconds:0} s\n{Log}");
        }
    }

    /// <summary>Asks it to end (SIGTERM), and kills what is left of it after the limit.</summary>
    internal void Stop(TimeSpan limit)
    {
        if (!_process.HasExited && Signals.Terminate(Pid)) _process.WaitForExit(limit);
        Dispose();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    private void Keep(StringBuilder kept, string? line, bool isOutput)
    {
        if (line is null)
        {
            if (isOutput) _firstLine.TrySetException(new LabException($"{_command} ended without a line of output\n{Log}"));
            return;
        }
        lock (_output)
        {
            if (kept.Length < KeptOutput) kept.AppendLine(line);
        }
        if (!isOutput) return;
        _firstLine.TrySetResult(line);
        _onLine?.Invoke(line);
    }
}
