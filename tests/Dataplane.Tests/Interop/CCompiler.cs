using System.ComponentModel;
using System.Diagnostics;

namespace FlannelFast.Dataplane.Tests.Interop;

/// <summary>Asks gcc whether a program compiles, without making anything of it.</summary>
internal static class CCompiler
{
    /// <summary>Returns what gcc has to say against the program: its first error, or null if it compiles.</summary>
    internal static string? FirstError(string program)
    {
        ProcessStartInfo start = new("gcc", ["-std=gnu11", "-fsyntax-only", "-Wfatal-errors", "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        using Process gcc = Start(start);
        // -Wfatal-errors ends gcc at the first error, maybe before it has read everything: the pipe then breaks, which says nothing new.
        Task<string> errors = gcc.StandardError.ReadToEndAsync();
        try
        {
            gcc.StandardInput.Write(program);
            gcc.StandardInput.Close();
        }
        catch (IOException)
        {
            Assert.True(gcc.WaitForExit(TimeSpan.FromSeconds(60)), "gcc closed its input and did not end");
            Assert.NotEqual(0, gcc.ExitCode);
        }
        Assert.True(gcc.WaitForExit(TimeSpan.FromSeconds(60)), "gcc did not end within 60 s");
        return gcc.ExitCode == 0 ? null : errors.GetAwaiter().GetResult();
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"install gcc (Debian, Ubuntu: apt-get install gcc libc6-dev): {e.Message}", e);
        }
    }
}
