using System.ComponentModel;
using System.Diagnostics;

namespace FlannelFast.Lab.Hosting;

/// <summary>Runs the programs by which the lab sets up the host: ip, bridge, ethtool, nft. Only between measurements.</summary>
internal static class Tool
{
    // Debian leaves sbin, where ethtool and nft live, out of an ordinary user's PATH, and sudo may keep that.
    private static string SearchPath => $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";

    /// <summary>Complains now about a program that would be missed later.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="purpose">The flag, or what else needs it.</param>
    /// <exception cref="LabException">It is not there.</exception>
    internal static void Require(string program, string purpose)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (string directory in SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(directory, program);
            if (File.Exists(path) && (File.GetUnixFileMode(path) & Execute) != 0) return;
        }
        throw new LabException($"{purpose} needs {program}, which is not installed");
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="LabException">It is not installed, or it failed; the message quotes its standard error.</exception>
    internal static string Run(string program, params IReadOnlyList<string> arguments) => RunWithInput("", program, arguments);

    /// <summary>Runs a program to its end with a text on its standard input.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="LabException">It is not installed, or it failed; the message quotes its standard error.</exception>
    internal static string RunWithInput(string input, string program, params IReadOnlyList<string> arguments)
    {
        (int exitCode, string output, string error) = Try(input, program, arguments);
        return exitCode == 0
            ? output
            : throw new LabException($"{program} {string.Join(' ', arguments)}: exit code {exitCode}: {error.TrimEnd()}");
    }

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
    /// <exception cref="LabException">It is not installed.</exception>
    internal static (int ExitCode, string Output, string Error) Try(string input, string program, params IReadOnlyList<string> arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading everything (EPIPE); its exit code says why.
        }
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts a program with all three streams redirected. The caller owns the result.</summary>
    /// <exception cref="LabException">It is not installed.</exception>
    internal static Process Start(string program, params IReadOnlyList<string> arguments)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["PATH"] = SearchPath;
        try
        {
            return Process.Start(info)!;
        }
        catch (Win32Exception e)
        {
            throw new LabException($"cannot start {program}: {e.Message}; the lab needs iproute2, and ethtool for wire-like, nftables for --loss");
        }
    }
}
