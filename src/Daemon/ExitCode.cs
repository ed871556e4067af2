namespace FlannelFast.Daemon;

/// <summary>Exit codes of every command. Part of the public interface.</summary>
internal static class ExitCode
{
    internal const int Success = 0;

    /// <summary>It failed while running: the host, the kernel or the daemon refused.</summary>
    internal const int Failure = 1;

    /// <summary>What was asked for is wrong: a flag, a field, an argument. Nothing was changed.</summary>
    internal const int BadInput = 2;

    /// <summary>No daemon listens on the control socket.</summary>
    internal const int NotRunning = 3;
}
