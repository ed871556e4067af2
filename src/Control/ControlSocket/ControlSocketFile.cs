using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.ControlSocket;

/// <summary>
/// The place of a control socket in the file system. One daemon owns it at a time: it holds a lock on PATH.lock, which the
/// kernel releases also after a kill -9, and replaces a socket file that a dead daemon left. The lock file stays when
/// the daemon ends; removing it would let two daemons lock two files of one name.
/// </summary>
internal sealed class ControlSocketFile : IDisposable
{
    // sun_path is 108 bytes with its terminator (unix(7)).
    private const int LongestPath = 107;

    /// <summary>The flag of <c>flannelfast tunnel</c> and of all clients.</summary>
    internal const string DefaultFlag = "--socket";

    private readonly string _path;
    private readonly FileStream _lock;

    private ControlSocketFile(string path, FileStream @lock, Socket listener) => (_path, _lock, Listener) = (path, @lock, listener);

    /// <summary>The listening socket; owned by this object.</summary>
    internal Socket Listener { get; }

    /// <summary>Takes the place and listens there. Only the owner may connect (mode 0600).</summary>
    /// <param name="path">Where.</param>
    /// <param name="flag">How the user could name another place, for messages.</param>
    /// <exception cref="ControlSocketException">Another daemon listens there, or the place cannot be used.</exception>
    internal static ControlSocketFile Listen(string path, string flag = DefaultFlag)
    {
        if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > LongestPath)
            throw new ControlSocketException($"{flag}: expected a path of 1 to {LongestPath} bytes, not {Tunnels.InvalidInputException.Quote(path)}");
        FileStream? held = null;
        try
        {
            CreateDirectory(path);
            held = TakeLock(path, flag);
            RemoveStale(path, flag);
            return new(path, held, Bind(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
        {
            held?.Dispose();
            throw new ControlSocketException($"{flag}: cannot listen on {path}: {e.Message}");
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Listener.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left behind in a directory that was taken away from us: the next daemon finds it dead and replaces it.
        }
        _lock.Dispose();
    }

    private static void CreateDirectory(string path)
    {
        string? directory = Path.GetDirectoryName(Path.GetFullPath(path));
        if (directory is not null && !Directory.Exists(directory))
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static FileStream TakeLock(string path, string flag)
    {
        string lockPath = path + ".lock";
        RefuseLink(lockPath, flag);
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None, // flock(LOCK_EX | LOCK_NB)
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        try
        {
            return new(lockPath, options);
        }
        catch (IOException e) when (e.HResult == Errno.EAGAIN)
        {
            throw InUse(path, flag);
        }
    }

    private static void RemoveStale(string path, string flag)
    {
        RefuseLink(path, flag);
        if (!File.Exists(path) && !Directory.Exists(path)) return;
        if (!IsSocket(path))
            throw new ControlSocketException($"{flag}: {path} is there and is no socket; expected a free path");
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        // Alive without holding the lock: its lock file was deleted by somebody.
        throw InUse(path, flag);
    }

    private static Socket Bind(string path)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Before listen(2) nobody can connect, so the wider mode that the umask left is never of use to anybody.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(ControlProtocol.MaxConnections);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    private static void RefuseLink(string path, string flag)
    {
        if (new FileInfo(path).LinkTarget is { } target)
            throw new ControlSocketException($"{flag}: {path} is a symbolic link to {target}; expected a path that is none");
    }

    /// <summary>open(2) answers ENXIO for a socket, which tells it from every file that may lie there by mistake.</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            // For reading and writing: a FIFO would block the open for reading alone.
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return false;
        }
        catch (IOException e) when (e.HResult == Errno.ENXIO)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static ControlSocketException InUse(string path, string flag) =>
        new($"{flag}: another daemon listens on {path}; stop it or give this one a {flag} of its own");
}
