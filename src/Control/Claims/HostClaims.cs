using System.Security.Cryptography;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Claims;

/// <summary>
/// What one daemon of a network namespace can have at a time: a device's name, this host's lease in a store. Each is a locked file, which the kernel
/// releases also after a kill -9. Two daemons that have nothing in common get along.
/// </summary>
/// <param name="directory">Where the files are; only root may write there. Made if missing.</param>
/// <param name="networkNamespace">Names the namespace; see <see cref="OfThisNamespace"/>.</param>
internal sealed class HostClaims(string directory, string networkNamespace) : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<(string Path, FileStream Lock)> _held = [];

    /// <summary>The claims of the calling process' network namespace, whose inode number tells it from others (namespaces(7)).</summary>
    internal static HostClaims OfThisNamespace(string directory) =>
        new(directory, File.ResolveLinkTarget("/proc/self/ns/net", returnFinalTarget: false)?.Name ?? "net");

    /// <summary>Takes something until <see cref="Dispose"/>.</summary>
    /// <param name="thing">"the device flannel.1".</param>
    /// <param name="remedy">What to do if another daemon has it.</param>
    /// <exception cref="ClaimException">Another daemon has it.</exception>
    /// <exception cref="IOException">The directory cannot be used; the message says what to do.</exception>
    internal void Take(string thing, string remedy)
    {
        try
        {
            TakeFile(thing, remedy);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"this user may not write to {directory}, by which the flannelds of a host keep apart: run as root, or give the user that directory (systemd: RuntimeDirectory={Path.GetFileName(directory)})", e);
        }
        catch (IOException e)
        {
            throw new IOException($"cannot write to {directory}, by which the flannelds of a host keep apart: {e.Message}", e);
        }
    }

    private void TakeFile(string thing, string remedy)
    {
        Directory.CreateDirectory(directory, Private | UnixFileMode.UserExecute);
        string digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{networkNamespace}\n{thing}")).AsSpan(0, 8));
        string path = Path.Combine(directory, $"{digest}.claim");
        while (true)
        {
            FileStream file = Open(path, thing, remedy);
            // Whoever had it removes the file before the lock is gone: a lock on a file that is no longer there claims nothing.
            if (IsInPlace(file))
            {
                _held.Add((path, file));
                return;
            }
            file.Dispose();
        }
    }

    public void Dispose()
    {
        foreach ((string path, FileStream held) in _held)
        {
            File.Delete(path);
            held.Dispose();
        }
        _held.Clear();
    }

    private static FileStream Open(string path, string thing, string remedy)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None, // flock(LOCK_EX | LOCK_NB)
            BufferSize = 0,
            UnixCreateMode = Private,
        };
        try
        {
            return new(path, options);
        }
        catch (IOException e) when (e.HResult == Errno.EAGAIN)
        {
            throw new ClaimException($"another flanneld of this host has {thing}: {remedy}");
        }
    }

    /// <summary>True if the file that is open has not been removed.</summary>
    private static bool IsInPlace(FileStream file) =>
        // Not the name before it: where a link is on the way, that is another one.
        new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget?.EndsWith(" (deleted)", StringComparison.Ordinal) == false;
}
