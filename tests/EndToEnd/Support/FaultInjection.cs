using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support;

/// <summary>strace attached to a running daemon, answering one of its system calls in the kernel's place. Disposing it detaches.</summary>
internal sealed class FaultInjection : IDisposable
{
    private readonly Process _strace;
    private readonly string _log;

    private FaultInjection(Process strace, string log) => (_strace, _log) = (strace, log);

    /// <summary>Attaches and waits until the injection is active.</summary>
    /// <param name="nodes">The topology; its directory takes the log.</param>
    /// <param name="daemon">Whom to torment.</param>
    /// <param name="call">System call, for example sendmmsg.</param>
    /// <param name="error">Error to return instead of running the call, for example ENOBUFS.</param>
    /// <param name="step">Every how many calls: 1 for each one.</param>
    public static FaultInjection Attach(TwoNodes nodes, Daemon daemon, string call, string error, int step)
    {
        string log = Path.Combine(nodes.Directory, "strace.log");
        Process strace = Shell.Start("strace", "-f", "-p", $"{daemon.Pid}", "-o", log, "-e", $"trace={call}", "-e", $"inject={call}:error={error}:when=1+{step}");
        // "strace: Process 1234 attached with 5 threads"
        string? line = strace.StandardError.ReadLine();
        if (line?.Contains("attached", StringComparison.Ordinal) != true) throw new InvalidOperationException($"strace: {line}");
        return new(strace, log);
    }

    /// <summary>How many calls were answered with the error. Read it after <see cref="Detach"/>.</summary>
    public int Injected => File.ReadLines(_log).Count(l => l.Contains("(INJECTED)", StringComparison.Ordinal));

    /// <summary>Lets the daemon go on undisturbed.</summary>
    public void Detach()
    {
        if (_strace.HasExited) return;
        // strace detaches from every thread on SIGINT; killed, it would take the daemon with it or leave it stopped.
        Native.Kill(_strace.Id, Native.SIGINT);
        _strace.WaitForExit();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Detach();
        _strace.Dispose();
    }
}
