using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// A network namespace without name or process. It and the devices in it are gone a few milliseconds after the last descriptor is closed, so also when this process is killed.
/// </summary>
internal sealed class HiddenNamespace : IDisposable
{
    private HiddenNamespace(NativeFd handle, NetlinkClient netlink) => (Handle, Netlink) = (handle, netlink);

    /// <summary>For requests that put a link into it.</summary>
    internal NativeFd Handle { get; }

    /// <summary>Its own links.</summary>
    internal NetlinkClient Netlink { get; }

    /// <summary>Makes one.</summary>
    /// <exception cref="IOException">The kernel refused, for example without CAP_SYS_ADMIN.</exception>
    internal static HiddenNamespace Create()
    {
        HiddenNamespace? made = null;
        IOException? refused = null;
        // unshare(2) takes only the calling thread along, which ends here.
        var thread = new Thread(() =>
        {
            try
            {
                made = Enter();
            }
            catch (IOException e)
            {
                refused = e;
            }
        })
        { IsBackground = true };
        try
        {
            thread.Start();
        }
        // What .NET makes of EAGAIN: no thread is to be had (pids.max of a container, for example).
        catch (OutOfMemoryException e)
        {
            throw new IOException("cannot make a network namespace: no thread for it", e);
        }
        thread.Join();
        return made ?? throw refused!;
    }

    private static HiddenNamespace Enter()
    {
        SysResult entered = SysResult.From(Libc.unshare(Libc.CLONE_NEWNET));
        entered.ThrowOnError($"cannot make a network namespace{(entered.Errno == Errno.EPERM ? ": CAP_SYS_ADMIN is needed" : "")}");
        NativeFd handle = NativeFd.Open("/proc/thread-self/ns/net", Libc.O_RDONLY | Libc.O_CLOEXEC);
        try
        {
            return new(handle, new NetlinkClient());
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Netlink.Dispose();
        Handle.Dispose();
    }
}
