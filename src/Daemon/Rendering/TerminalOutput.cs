using Microsoft.Win32.SafeHandles;

namespace FlannelFast.Daemon.Rendering;

/// <summary>
/// Writes to terminals past the runtime's console streams: those switch the terminal's keypad to application mode before their
/// first byte (terminfo smkx, "ESC [ ? 1 h ESC =") for programs that read keys, which this one is not.
/// </summary>
internal static class TerminalOutput
{
    private const int StandardOutput = 1, StandardError = 2;

    /// <summary>Replaces Console.Out and Console.Error where they are terminals; the console logger takes them from there.</summary>
    internal static void Install()
    {
        // Only there: a FileStream keeps an offset of its own, and in a file that both streams share they would overwrite each other.
        if (!Console.IsOutputRedirected) Console.SetOut(Open(StandardOutput));
        if (!Console.IsErrorRedirected) Console.SetError(Open(StandardError));
    }

    private static StreamWriter Open(int descriptor) =>
        new(new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0)) { AutoFlush = true };
}
