using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>
/// A port that was just left stays taken as long as somebody is still inside a system call on its socket, or another thread of this process starts a program: between fork and exec
/// that has every descriptor, too. Both last for some milliseconds.
/// </summary>
internal static class PortInUse
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    /// <summary>Tries again while the address is in use, for two seconds at most.</summary>
    internal static T Outlast<T>(Func<T> bind)
    {
        long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds;
        while (true)
        {
            try
            {
                return bind();
            }
            catch (Exception taken) when (taken is ErrnoException { Errno: Errno.EADDRINUSE } or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
            {
                if (Environment.TickCount64 > deadline) throw;
                Thread.Sleep(5);
            }
        }
    }
}
