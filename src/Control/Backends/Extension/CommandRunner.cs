using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>Runs the commands of the extension backend. What comes out of the store reaches them as data only: on standard input and in the environment.</summary>
internal static class CommandRunner
{
    /// <summary>Output that is kept, in bytes: less than any store takes as a value.</summary>
    internal const int MaxOutput = 32 * 1024;

    /// <summary>What a command started in the background may hold its output open after the command itself has ended.</summary>
    private static readonly TimeSpan s_afterExit = TimeSpan.FromSeconds(1);

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">Not empty.</param>
    /// <param name="environment">Added to our own.</param>
    /// <param name="input">For its standard input; a line feed follows, as with stock.</param>
    /// <param name="deadline">Then it is killed, with everything it started.</param>
    /// <returns>What it printed on both streams, trimmed.</returns>
    /// <exception cref="IOException">It could not be started, ran too long, ended with another code than 0 or printed too much. One line.</exception>
    internal static string Run(CommandTemplate command, IReadOnlyDictionary<string, string> environment, string input, TimeSpan deadline)
    {
        List<string> words = command.Expand(name => environment.TryGetValue(name, out string? value) ? value : Environment.GetEnvironmentVariable(name));
        if (words[0].Length == 0) throw new IOException($"{command.Name}: no program is left when the variables are replaced: {OneLine(command.Text)}");
        var start = new ProcessStartInfo(Resolve(command, words[0]))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        for (int i = 1; i < words.Count; i++) start.ArgumentList.Add(words[i]);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return RunAsync(command, start, input, deadline).GetAwaiter().GetResult();
    }

    private static async Task<string> RunAsync(CommandTemplate command, ProcessStartInfo start, string input, TimeSpan deadline)
    {
        using Process process = Start(command, start);
        var output = new BoundedOutput(MaxOutput);
        using var late = new CancellationTokenSource(deadline);
        using var closing = new CancellationTokenSource();
        Task reading = Task.WhenAll(
            output.ReadAsync(process.StandardOutput.BaseStream, closing.Token), output.ReadAsync(process.StandardError.BaseStream, closing.Token));
        Task writing = WriteAsync(process.StandardInput.BaseStream, input, closing.Token);
        try
        {
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new IOException($"{command.Name} did not end within {deadline.TotalSeconds} s and was killed: {OneLine(command.Text)}");
        }
        finally
        {
            closing.CancelAfter(s_afterExit);
            await EndAsync(reading).ConfigureAwait(false);
            await closing.CancelAsync().ConfigureAwait(false);
            await EndAsync(writing).ConfigureAwait(false);
        }
        if (process.ExitCode != 0)
            throw new IOException($"{command.Name} ended with code {process.ExitCode}: {OneLine(command.Text)}{Quote(output.ToString())}");
        if (output.IsCut) throw new IOException($"{command.Name} printed more than {MaxOutput} bytes: {OneLine(command.Text)}");
        return output.ToString();
    }

    /// <summary>Not what .NET does by itself, which looks beside our binary and in the working directory before it looks in PATH.</summary>
    private static string Resolve(CommandTemplate command, string program)
    {
        if (program.Contains('/', StringComparison.Ordinal)) return program;
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = Path.Combine(directory, program);
            if (Path.IsPathRooted(path) && IsExecutable(path)) return path;
        }
        throw new IOException($"{command.Name}: there is no program {OneLine(program)} in PATH");
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

    private static Process Start(CommandTemplate command, ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception refused)
        {
            throw new IOException($"{command.Name} cannot be started: {OneLine(refused.Message)}", refused);
        }
    }

    private static async Task WriteAsync(Stream stream, string input, CancellationToken cancel)
    {
        await using (stream.ConfigureAwait(false))
            await stream.WriteAsync(Encoding.UTF8.GetBytes(input + "\n"), cancel).ConfigureAwait(false);
    }

    /// <summary>A command need not read its input, and may leave its output to a program that lives on: neither is an error.</summary>
    private static async Task EndAsync(Task transfer)
    {
        try
        {
            await transfer.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The code with which the command ended is what counts.
        }
    }

    private static string Quote(string output) => output.Length == 0 ? "" : $": it printed: {OneLine(output)}";

    private static string OneLine(string text)
    {
        const int longest = 200;
        string line = text.ReplaceLineEndings(" / ");
        return line.Length > longest ? $"{line.AsSpan(0, longest)}…" : line;
    }
}
