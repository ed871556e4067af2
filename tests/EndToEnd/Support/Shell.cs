using System.ComponentModel;
using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support;

/// <summary>Runs programs.</summary>
internal static class Shell
{
    // Longer than anything a test runs on purpose; a program that hangs fails its test instead of the whole run.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    /// <summary>Runs a program to its end and demands exit code 0.</summary>
    public static CommandResult Run(string program, params string[] arguments) => Try(program, arguments).OrThrow();

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
    /// <exception cref="TimeoutException">It did not end; it was killed.</exception>
    public static CommandResult Try(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string command = string.Join(' ', [program, .. arguments]);
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{command} did not end within {s_limit}");
        }
        if (!Task.WaitAll([output, error], s_grace)) throw new TimeoutException($"{command} ended with {process.ExitCode}, but left a process behind that holds its output open");
        return new(command, process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a program with all three streams redirected. The caller owns it.</summary>
    public static Process Start(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"cannot start {program}: {e.Message}. ./test.sh e2e installs what the tests need", e);
        }
    }
}
