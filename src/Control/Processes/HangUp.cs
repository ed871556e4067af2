using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Processes;

/// <summary>SIGHUP as a process inherits it.</summary>
internal static class HangUp
{
    /// <summary>
    /// Ends an inherited "ignore", which nohup(1) and some shells and supervisors set and execve(2) keeps: .NET leaves an ignored SIGHUP ignored even where a
    /// handler is registered, so that a reload would silently do nothing. To be called before the handler is registered.
    /// </summary>
    internal static void StopIgnoring() => _ = Libc.signal(Libc.SIGHUP, Libc.SIG_DFL);
}
