using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// A store's files while it is open: <c>config</c>, <c>revisions</c>, and <c>subnets/KEY</c> for each lease. The lock is flock(2) on the
/// directory itself: nothing to create, works where the disk is read-only, and is released by the kernel when its holder is killed.
/// Who reads holds it shared, so what is read belongs to one revision.
/// </summary>
internal sealed class StoreFiles : IDisposable
{
    private const string Config = "config", Revisions = "revisions", Subnets = "subnets";

    private readonly DirectoryHandle _root;
    private DirectoryHandle? _subnets;

    private StoreFiles(DirectoryHandle root) => _root = root;

    /// <summary>Opens a store.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="create">Make the directory, and those above it, where there is none.</param>
    /// <returns>Null if there is none and none was to be made.</returns>
    /// <exception cref="IOException">It cannot be opened, or others may change it.</exception>
    internal static StoreFiles? Open(string path, bool create)
    {
        DirectoryHandle? root = DirectoryHandle.Open(path);
        if (root is null && !create) return null;
        root ??= CreateRoot(path);
        try
        {
            (uint owner, bool isWorldWritable) = root.Access();
            // In /tmp anybody can be first to make the directory, and could then send our packets where he likes.
            if (owner != 0 && owner != Libc.geteuid()) throw new StoreUnavailableException($"{path} belongs to user id {owner}; expected a directory of this user or of root");
            if (isWorldWritable) throw new StoreUnavailableException($"everybody may write to {path}; expected a directory that only its owner changes");
            return new(root);
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="DirectoryHandle.TryLock"/>
    internal bool TryLock(bool exclusive)
    {
        if (!_root.TryLock(exclusive)) return false;
        _subnets ??= _root.OpenChild(Subnets);
        return true;
    }

    internal byte[]? ReadConfig() => _root.Read(Config, RegistryEntry.MaxValueSize);

    internal void WriteConfig(ReadOnlySpan<byte> value) => _root.Replace(Config, value);

    /// <exception cref="StoreUnavailableException">The file is damaged.</exception>
    internal RevisionLog ReadLog()
    {
        if (_root.Read(Revisions, RevisionLog.MaxSize) is not { } content) return Rebuild();
        try
        {
            return RevisionLog.Parse(content);
        }
        catch (FormatException e)
        {
            throw new StoreUnavailableException($"{_root.Path}/{Revisions} is damaged ({e.Message}); delete it, the leases stay", e);
        }
    }

    /// <summary>Names of all leases, and of what else lies there.</summary>
    internal IEnumerable<string> Keys() => _subnets?.Names() ?? [];

    /// <summary>One lease, also one that is over; null if there is none.</summary>
    internal StoredLease? ReadLease(string key)
    {
        if (_subnets is null) return null;
        try
        {
            return _subnets.Read(key, LeaseFile.MaxSize) is { } content ? new(LeaseFile.Parse(content), IsReadable: true) : null;
        }
        // A directory, link, socket or foreign file under the name of a lease concerns that lease only.
        catch (ErrnoException e) when (e.Errno is Errno.EISDIR or Errno.ELOOP or Errno.ENXIO or Errno.EACCES or Errno.EPERM or Errno.ENODEV)
        {
            return new(new(0, 0, null, default), IsReadable: false);
        }
    }

    /// <summary>Number of the next change: also above a lease that is newer than the log, which was put back from a backup then.</summary>
    internal static long NextRevision(RevisionLog log, StoredLease? lease) => Math.Max(log.Revision, lease?.File.ModRevision ?? 0) + 1;

    /// <summary>
    /// Writes a lease, and the log before it gets its name. Killed anywhere, the lease is the old or the new one; and no lease is ever newer than
    /// the log, also after a power failure, because the log's name is on disk before the lease's.
    /// </summary>
    internal void WriteLease(RevisionLog log, string key, LeaseFile file)
    {
        _subnets ??= _root.CreateChild(Subnets);
        _subnets.Prepare(file.ToBytes());
        _root.Replace(Revisions, log.Append(key, file.ModRevision).ToBytes());
        _subnets.Publish(key);
    }

    /// <summary>Deletes a lease that is there.</summary>
    /// <returns>The log afterwards.</returns>
    internal RevisionLog DeleteLease(RevisionLog log, string key, StoredLease lease)
    {
        RevisionLog after = log.Append(key, NextRevision(log, lease));
        _root.Replace(Revisions, after.ToBytes());
        _subnets!.Delete(key);
        _subnets.Sync();
        return after;
    }

    public void Dispose()
    {
        _subnets?.Dispose();
        _root.Dispose();
    }

    /// <summary>Without log: nothing is known of the past, and the count goes on above the leases that are there.</summary>
    private RevisionLog Rebuild()
    {
        long revision = 0;
        foreach (string key in Keys()) revision = Math.Max(revision, ReadLease(key)?.File.ModRevision ?? 0);
        return RevisionLog.Empty with { Revision = revision, Oldest = revision };
    }

    private static DirectoryHandle CreateRoot(string path)
    {
        string parent = Path.GetDirectoryName(path) ?? throw new ErrnoException(Errno.ENOENT, $"opening {path}");
        // A parent may be a link (/var/run), so those are followed: only the last part is ours.
        string above = Directory.Exists(parent) ? Directory.ResolveLinkTarget(parent, returnFinalTarget: true)?.FullName ?? parent : parent;
        using DirectoryHandle opened = DirectoryHandle.Open(above) ?? CreateRoot(above);
        return opened.CreateChild(Path.GetFileName(path));
    }
}
