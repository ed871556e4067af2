using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tests.Netlink;

/// <summary>
/// Runs a test in a network namespace of its own: unshare(2) with CLONE_NEWNET is per thread, so only the thread made for
/// the test leaves the host's, and the programs and threads it starts go with it. The namespace ends with the last of them.
/// </summary>
internal static class NetworkNamespace
{
    internal static void Run(Action test)
    {
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter();
                test();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "the test did not end within 60 s");
        failure?.Throw();
    }

    /// <summary>Runs a shell command line in the namespace of the calling thread; returns what it prints, fails if it fails.</summary>
    internal static string Shell(string commands)
    {
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", commands])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = shell.StandardError.ReadToEndAsync();
        string output = shell.StandardOutput.ReadToEnd();
        Assert.True(shell.WaitForExit(TimeSpan.FromSeconds(30)), $"did not end within 30 s: {commands}");
        Assert.True(shell.ExitCode == 0, $"exit code {shell.ExitCode}: {commands}\n{errors.GetAwaiter().GetResult()}");
        return output;
    }

    /// <summary>What ip(8) says, as an independent witness; iproute2 prints nothing at all for an empty list.</summary>
    internal static JsonElement[] Ip(string arguments)
    {
        string json = Shell($"ip -j {arguments}");
        if (json.Length == 0) return [];
        using JsonDocument document = JsonDocument.Parse(json);
        // ip -6 addr prints empty objects for links it left out.
        return [.. document.RootElement.Clone().EnumerateArray().Where(item => item.EnumerateObject().Any())];
    }

    /// <summary>Takes the calling thread into a new namespace, for good.</summary>
    internal static void Enter()
    {
        if (Libc.geteuid() != 0) Assert.Fail("these tests make network namespaces: run them as root (./test.sh asks for sudo)");
        SysResult.From(Libc.unshare(Libc.CLONE_NEWNET)).ThrowOnError("make a network namespace");
        Shell("ip link set lo up");
    }
}
