using Microsoft.Win32.SafeHandles;

namespace FlannelFast.Daemon.Hosting;

/// <summary>The three descriptors every process counts on.</summary>
internal static class StandardStreams
{
    private const int StandardError = 2;

    // Never closed: whoever got the number next would be written to as standard output or error.
    private static readonly List<SafeFileHandle> s_placeholders = [];

    /// <summary>
    /// Opens /dev/null in place of every standard stream that is closed (some supervisors start daemons so). Otherwise the TUN
    /// device or a socket would get its number, and the log would be sent as packets.
    /// </summary>
    internal static void EnsureOpen()
    {
        while (true)
        {
            // open(2) gives the lowest free number.
            SafeFileHandle handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (handle.DangerousGetHandle() > StandardError)
            {
                handle.Dispose();
                return;
            }
            s_placeholders.Add(handle);
        }
    }
}
