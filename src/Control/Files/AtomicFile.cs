using FlannelFast.Dataplane.Interop;
using Microsoft.Win32.SafeHandles;

namespace FlannelFast.Control.Files;

/// <summary>
/// Small files that are replaced as a whole: a reader, and whoever starts after a power cut, finds the old content or the new one,
/// never a part and never nothing. Links are not followed: one in place of the file is replaced, or refused when read.
/// </summary>
internal static class AtomicFile
{
    /// <summary>0644: for files everybody may read.</summary>
    internal const UnixFileMode Shared = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string TemporarySuffix = ".tmp";

    /// <summary>
    /// Writes a file by way of a temporary one in the same directory: written, synced, renamed, directory synced.
    /// The directory is made if it is missing. When this throws, the old file is as it was, except after a failed sync of the directory.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <param name="mode">Its permissions, whatever the umask; never wider than this at any moment.</param>
    /// <exception cref="IOException">It could not be written; the message names the path and the reason.</exception>
    internal static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode = Shared)
    {
        try
        {
            string directory = DirectoryOf(path);
            CreateDirectory(directory);
            Replace(path, TemporaryName(directory, path), content, mode);
            SyncDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot write {path}: {Reason(e)}", e);
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxSize">A longer file is refused, in bytes.</param>
    /// <returns>The content; null if there is no such file.</returns>
    /// <exception cref="IOException">It is there but cannot be read: a link, a directory, too long, no permission. The message names the path and the reason.</exception>
    internal static byte[]? TryRead(string path, int maxSize)
    {
        try
        {
            if (new FileInfo(path).LinkTarget is { } target) throw new IOException($"it is a symbolic link to {target}; expected a file");
            // O_NONBLOCK: the open of a FIFO that lies there by mistake would wait for a writer for ever.
            using NativeFd fd = NativeFd.Open(path, Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_CLOEXEC);
            using var file = new SafeFileHandle(fd.Number, ownsHandle: false);
            return ReadAll(file, maxSize) ?? throw new IOException($"it is longer than {maxSize} bytes");
        }
        catch (ErrnoException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new IOException($"cannot read {path}: {Reason(e)}", e);
        }
    }

    /// <summary>
    /// Deletes the temporary files that killed writers of this path left behind. For the one writer of the path only, and not while it writes:
    /// a temporary file in use looks the same.
    /// </summary>
    internal static void RemoveLeftovers(string path)
    {
        try
        {
            string directory = DirectoryOf(path);
            if (!Directory.Exists(directory)) return;
            foreach (string leftover in Directory.EnumerateFiles(directory, $".{Path.GetFileName(path)}.????????{TemporarySuffix}")) File.Delete(leftover);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"cannot remove old temporary files of {path}: {Reason(e)}", e);
        }
    }

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? throw new IOException("it is no file's name");

    /// <summary>Makes what is missing of a path, mode 0755 whatever the umask.</summary>
    private static void CreateDirectory(string directory)
    {
        const UnixFileMode Mode = Shared | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if (Directory.Exists(directory)) return;
        if (Path.GetDirectoryName(directory) is { } parent) CreateDirectory(parent);
        Directory.CreateDirectory(directory, Mode);
        File.SetUnixFileMode(directory, Mode);
    }

    private static string TemporaryName(string directory, string path) => Path.Combine(
        directory, $".{Path.GetFileName(path)}.{Guid.NewGuid().ToString("N")[..8]}{TemporarySuffix}");

    private static void Replace(string path, string temporary, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        // O_CREAT | O_EXCL: a link of that name is an error, also one that leads nowhere.
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = mode & Private,
        }))
        {
            try
            {
                file.Write(content);
                File.SetUnixFileMode(file.SafeFileHandle, mode);
                file.Flush(flushToDisk: true);
                File.Move(temporary, path, overwrite: true);
            }
            catch
            {
                Discard(temporary);
                throw;
            }
        }
    }

    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to report; RemoveLeftovers finds the file.
        }
    }

    /// <summary>A rename lives in the directory, and is on the disk only when that is.</summary>
    private static void SyncDirectory(string directory)
    {
        using NativeFd fd = NativeFd.Open(directory, Libc.O_RDONLY | Libc.O_CLOEXEC);
        SysResult synced = SysResult.From(Libc.fsync(fd.Number));
        // EINVAL: a file system without sync for directories (fsync(2)); there is nothing more to be had from it.
        if (synced.Errno != Errno.EINVAL) synced.ThrowOnError("its directory cannot be synced");
    }

    private static byte[]? ReadAll(SafeFileHandle file, int maxSize)
    {
        byte[] buffer = new byte[maxSize + 1];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = RandomAccess.Read(file, buffer.AsSpan(length), length);
            if (read == 0) return buffer[..length];
            length += read;
        }
        return null;
    }

    /// <summary>The system's own words; the framework's name the temporary file.</summary>
    private static string Reason(Exception e) => e switch
    {
        ErrnoException refused => Errno.Describe(refused.Errno),
        UnauthorizedAccessException { InnerException: IOException refused } => Reason(refused),
        IOException { HResult: > 0 and < 4096 } refused => Errno.Describe(refused.HResult),
        NotSupportedException => "it is a FIFO or a device; expected a file",
        _ => e.Message,
    };
}
