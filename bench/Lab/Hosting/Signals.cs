using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Hosting;

/// <summary>Signals to single processes.</summary>
internal static class Signals
{
    /// <summary>Asks a process to end. False if there is none of that id any more.</summary>
    internal static bool Terminate(int pid) => Libc.kill(pid, Libc.SIGTERM) == 0;

    /// <summary>Asks a daemon to read its configuration again. False if there is none of that id any more.</summary>
    internal static bool Reload(int pid) => Libc.kill(pid, Libc.SIGHUP) == 0;

    /// <summary>Ends a process. False if there is none of that id any more.</summary>
    internal static bool Kill(int pid) => Libc.kill(pid, Libc.SIGKILL) == 0;
}
