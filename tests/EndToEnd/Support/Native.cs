using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FlannelFast.EndToEnd.Support;

/// <summary>The system calls .NET has no method for.</summary>
internal static partial class Native
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;

    private const int CLONE_NEWNET = 0x40000000;

    /// <summary>Moves the calling thread into a network namespace, see setns(2). Only a thread that ends afterwards may do so.</summary>
    public static void EnterNetworkNamespace(SafeFileHandle handle)
    {
        if (setns(handle, CLONE_NEWNET) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), "setns");
    }

    /// <summary>Sends a signal to one process.</summary>
    public static void Kill(int pid, int signal)
    {
        if (kill(pid, signal) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({pid}, {signal})");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle fd, int nstype);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int sig);
}
