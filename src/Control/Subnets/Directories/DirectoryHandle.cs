using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// One open directory and what is done to the files in it. Every name is looked up in the descriptor, never along a path, and a symbolic
/// link in place of a file is refused, so nobody who can rename a parent sends a write elsewhere. Calls throw <see cref="ErrnoException"/>
/// with the path. Not for concurrent use.
/// </summary>
internal sealed unsafe class DirectoryHandle : IDisposable
{
    // Only the owner: whoever may open a directory for reading may also flock(2) it, and keep every writer waiting.
    private const uint DirectoryMode = 0x1C0; // 0700
    private const uint FileMode = 0x180; // 0600

    /// <summary>Where new content is written before it gets its name. Hidden, so that it is no key.</summary>
    internal const string TemporaryName = ".new";

    private readonly NativeFd _fd;

    private DirectoryHandle(NativeFd fd, string path) => (_fd, Path) = (fd, path);

    /// <summary>For messages.</summary>
    internal string Path { get; }

    /// <summary>Opens a directory; null if there is none.</summary>
    internal static DirectoryHandle? Open(string path)
    {
        fixed (byte* name = Terminated(path))
        {
            // From the root an absolute path; the descriptor is not looked at then (openat(2)).
            return Wrap(Libc.openat(-1, name, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0), path);
        }
    }

    /// <summary>Opens a directory in this one; null if there is none.</summary>
    internal DirectoryHandle? OpenChild(string name)
    {
        string path = System.IO.Path.Combine(Path, name);
        fixed (byte* bytes = Terminated(name))
            return Wrap(Libc.openat(_fd.Number, bytes, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0), path);
    }

    /// <summary>Makes a directory in this one, unless it is there, and opens it.</summary>
    internal DirectoryHandle CreateChild(string name)
    {
        string path = System.IO.Path.Combine(Path, name);
        SysResult made;
        fixed (byte* bytes = Terminated(name)) made = SysResult.From(Libc.mkdirat(_fd.Number, bytes, DirectoryMode));
        if (made.IsSuccess) Sync();
        else if (made.Errno != Errno.EEXIST) made.ThrowOnError($"making {path}");
        return OpenChild(name) ?? throw new ErrnoException(Errno.ENOENT, $"opening {path}");
    }

    /// <summary>Takes the lock of the directory, which ends with this object, and with the process however that ends.</summary>
    /// <returns>False if somebody has it.</returns>
    internal bool TryLock(bool exclusive)
    {
        var locked = SysResult.From(Libc.flock(_fd.Number, (exclusive ? Libc.LOCK_EX : Libc.LOCK_SH) | Libc.LOCK_NB));
        if (locked.Errno == Errno.EAGAIN) return false;
        locked.ThrowOnError($"locking {Path}");
        return true;
    }

    /// <summary>The owner's user id, and whether everybody may write to the directory.</summary>
    internal (uint Owner, bool IsWorldWritable) Access()
    {
        statx status = default;
        byte empty = 0;
        SysResult.From(Libc.statx(_fd.Number, &empty, Libc.AT_EMPTY_PATH, Libc.STATX_UID | Libc.STATX_MODE, &status)).ThrowOnError($"looking at {Path}");
        return (status.stx_uid, (status.stx_mode & Libc.S_IWOTH) != 0);
    }

    /// <summary>Names of everything but hidden files.</summary>
    internal IEnumerable<string> Names()
    {
        // Through the descriptor: the path may lead to another directory by now.
        foreach (string path in Directory.EnumerateFileSystemEntries($"/proc/self/fd/{_fd.Number}"))
        {
            string name = System.IO.Path.GetFileName(path);
            if (!name.StartsWith('.')) yield return name;
        }
    }

    /// <summary>The beginning of a file; null if there is none.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="limit">No more bytes than this are read.</param>
    internal byte[]? Read(string name, int limit)
    {
        // Non-blocking: a FIFO in place of the file would block the open.
        using NativeFd? file = OpenFile(name, Libc.O_RDONLY | Libc.O_NONBLOCK);
        if (file is null) return null;
        byte[] buffer = new byte[Math.Min(limit, 1024)];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                if (length == limit) return buffer;
                Array.Resize(ref buffer, Math.Min(4 * length, limit));
            }
            SysResult read;
            fixed (byte* start = &buffer[length])
            {
                do read = SysResult.From(Libc.read(file.Number, start, (nuint)(buffer.Length - length)));
                while (read.Errno == Errno.EINTR);
            }
            if (read.ThrowOnError($"reading {System.IO.Path.Combine(Path, name)}") == 0) return buffer[..length];
            length += read.Value;
        }
    }

    /// <summary>Gives a file new content. Whatever happens on the way, the file is the old or the new one, whole.</summary>
    internal void Replace(string name, ReadOnlySpan<byte> content)
    {
        Prepare(content);
        Publish(name);
    }

    /// <summary>
    /// Writes content to disk without a name. One temporary name is enough, and is unique: only who holds the exclusive lock writes, so what
    /// lies there was left by a writer that was killed. Nothing of those ever piles up.
    /// </summary>
    internal void Prepare(ReadOnlySpan<byte> content)
    {
        string path = System.IO.Path.Combine(Path, TemporaryName);
        Delete(TemporaryName);
        try
        {
            using NativeFd file = OpenFile(TemporaryName, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL)!;
            fixed (byte* bytes = content)
            {
                for (int written = 0; written < content.Length;)
                {
                    SysResult wrote;
                    do wrote = SysResult.From(Libc.write(file.Number, bytes + written, (nuint)(content.Length - written)));
                    while (wrote.Errno == Errno.EINTR);
                    written += wrote.ThrowOnError($"writing {path}");
                }
            }
            Sync(file, path);
        }
        catch (ErrnoException)
        {
            // On a full disk the part that was written would stand in the way of whoever makes room.
            Delete(TemporaryName);
            throw;
        }
    }

    /// <summary>Gives the prepared content its name, durably.</summary>
    internal void Publish(string name)
    {
        fixed (byte* from = Terminated(TemporaryName), to = Terminated(name))
        {
            SysResult.From(Libc.renameat(_fd.Number, from, _fd.Number, to))
                .ThrowOnError($"renaming {System.IO.Path.Combine(Path, TemporaryName)} to {name}");
        }
        Sync();
    }

    /// <summary>Deletes a file.</summary>
    /// <returns>False if there was none.</returns>
    internal bool Delete(string name)
    {
        SysResult deleted;
        fixed (byte* bytes = Terminated(name)) deleted = SysResult.From(Libc.unlinkat(_fd.Number, bytes, 0));
        if (deleted.Errno == Errno.ENOENT) return false;
        deleted.ThrowOnError($"deleting {System.IO.Path.Combine(Path, name)}");
        return true;
    }

    /// <summary>Makes renames and deletions durable.</summary>
    internal void Sync() => Sync(_fd, Path);

    public void Dispose() => _fd.Dispose();

    private static void Sync(NativeFd fd, string path)
    {
        SysResult synced;
        do synced = SysResult.From(Libc.fsync(fd.Number));
        while (synced.Errno == Errno.EINTR);
        synced.ThrowOnError($"writing {path} to disk");
    }

    private NativeFd? OpenFile(string name, int flags)
    {
        SysResult opened;
        fixed (byte* bytes = Terminated(name))
        {
            do opened = SysResult.From(Libc.openat(_fd.Number, bytes, flags | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, FileMode));
            while (opened.Errno == Errno.EINTR);
        }
        if (opened.Errno == Errno.ENOENT && (flags & Libc.O_CREAT) == 0) return null;
        return new(opened.ThrowOnError($"opening {System.IO.Path.Combine(Path, name)}"));
    }

    private static DirectoryHandle? Wrap(nint opened, string path)
    {
        var result = SysResult.From(opened);
        return result.Errno switch
        {
            0 => new(new(result.Value), path),
            Errno.ENOENT => null,
            // What open(2) answers for a link under O_NOFOLLOW | O_DIRECTORY.
            Errno.ELOOP or Errno.ENOTDIR => throw new ErrnoException(result.Errno, $"{path} is a symbolic link or a file; expected a directory"),
            _ => throw new ErrnoException(result.Errno, $"opening {path}"),
        };
    }

    private static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
