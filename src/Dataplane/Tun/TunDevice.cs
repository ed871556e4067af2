using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tun;

/// <summary>
/// A TUN device and the descriptors of its queues, which it owns. The device is not persistent: it lives as long as one
/// queue is open. Addresses, MTU and routes are none of its business. Used by one thread at a time; workers get the
/// numbers of the descriptors and stop before this object is disposed.
/// </summary>
internal sealed unsafe class TunDevice : IDisposable
{
    private const string ClonePath = "/dev/net/tun";
    private readonly NativeFd[] _queues;
    private readonly bool _multiQueue;

    private TunDevice(string name, NativeFd[] queues, bool multiQueue, TunOffloads offloads)
    {
        Name = name;
        _queues = queues;
        _multiQueue = multiQueue;
        Offloads = offloads;
    }

    /// <summary>The interface name the kernel gave.</summary>
    internal string Name { get; private set; }

    /// <summary>The richest step the kernel took.</summary>
    internal TunOffloads Offloads { get; private set; }

    /// <summary>True when every frame starts with a <see cref="virtio_net_hdr"/>.</summary>
    internal bool HasVnetHeader => Offloads != TunOffloads.None;

    /// <summary>Number of queues, at least 1.</summary>
    internal int QueueCount => _queues.Length;

    /// <summary>The descriptor of a queue; non-blocking, close-on-exec, still owned by this object.</summary>
    internal int QueueFd(int queue) => _queues[queue].Number;

    /// <summary>Creates a device that must not exist yet.</summary>
    /// <param name="name">1 to 15 characters; with %d in it, the kernel puts the lowest free number there.</param>
    /// <param name="queues">1 to 256 queues; more than one makes a multi-queue device.</param>
    /// <param name="wanted">The richest step to try; poorer ones are tried in turn when the kernel refuses.</param>
    /// <exception cref="ErrnoException">EBUSY: the name is taken. EPERM: CAP_NET_ADMIN is missing. ENOENT: no /dev/net/tun.</exception>
    internal static TunDevice Create(string name, int queues, TunOffloads wanted)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(queues, 1);
        var fds = new NativeFd[queues];
        try
        {
            for (int i = 0; i < queues; i++) fds[i] = OpenClone();
            var device = new TunDevice(name, fds, queues > 1, wanted);
            if (device.Attach()) return device;
            // The header cannot be taken back from a device that lives: a new one without it is the last step down.
            device.Dispose();
            return Create(name, queues, TunOffloads.None);
        }
        catch
        {
            foreach (NativeFd? fd in fds) fd?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Attaches the queues that lost their device: their descriptors stay valid, TUNSETIFF makes a new device on them
    /// (drivers/net/tun.c clears tfile->tun when it detaches). The new device has neither address nor route. Queues that have
    /// one keep it, so this may be called again after it failed half way, and when a late report of a loss comes twice.
    /// </summary>
    internal void Recreate()
    {
        if (!Attach()) throw new IOException($"TUN device {Name} takes no offloads any more");
    }

    /// <summary>False when the kernel attached the queues with a virtio-net header but takes not one offload with it.</summary>
    private bool Attach()
    {
        TunOffloads wanted = Offloads;
        ushort flags = (ushort)(Libc.IFF_TUN | Libc.IFF_NO_PI | (_multiQueue ? Libc.IFF_MULTI_QUEUE : 0)
            | (wanted != TunOffloads.None ? Libc.IFF_VNET_HDR : 0));
        // A device that is deleted while its queues are attached one by one is made anew by the next of them: then the first is
        // the one without a device, and IFF_TUN_EXCL would find our own name taken. Exclusive is only who has nobody to join.
        bool exists = _queues.Any(IsAttached);
        foreach (NativeFd queue in _queues.Where(queue => !IsAttached(queue)))
        {
            SetInterface(queue.Number, exists ? flags : (ushort)(flags | Libc.IFF_TUN_EXCL));
            exists = true;
        }
        foreach (NativeFd queue in _queues) Verify(queue.Number, flags);
        // EINVAL: a flag this kernel does not know, and nothing has changed.
        Offloads = TunOffloadsExtensions.Richest(wanted, TrySetOffloads);
        return wanted == TunOffloads.None || Offloads != TunOffloads.None;
    }

    private bool TrySetOffloads(TunOffloads offloads)
    {
        SysResult result = SysResult.From(Libc.ioctl(_queues[0].Number, Libc.TUNSETOFFLOAD, (void*)(nuint)offloads.ToFlags()));
        if (result.Errno != 0 && result.Errno != Errno.EINVAL) result.ThrowOnError($"{Name}: cannot set offloads {offloads}");
        return result.IsSuccess;
    }

    private static bool IsAttached(NativeFd queue)
    {
        ifreq answer = default;
        return SysResult.From(Libc.ioctl(queue.Number, Libc.TUNGETIFF, &answer)).IsSuccess;
    }

    private void SetInterface(int fd, ushort flags)
    {
        ifreq request = default;
        Encoding.ASCII.GetBytes(Name, new Span<byte>(request.ifr_name, Libc.IFNAMSIZ - 1));
        request.ifr_flags = flags;
        SysResult.From(Libc.ioctl(fd, Libc.TUNSETIFF, &request)).ThrowOnError($"cannot create TUN device {Name}");
        Name = Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(request.ifr_name));
    }

    /// <summary>
    /// The kernel silently keeps a live device's own flags when a further queue asks for others (tun_set_iff), so the
    /// flags are read back instead of believed.
    /// </summary>
    private void Verify(int fd, ushort flags)
    {
        ifreq answer = default;
        SysResult.From(Libc.ioctl(fd, Libc.TUNGETIFF, &answer)).ThrowOnError($"cannot read back TUN device {Name}");
        const ushort Compared = Libc.IFF_TUN | Libc.IFF_NO_PI | Libc.IFF_MULTI_QUEUE | Libc.IFF_VNET_HDR;
        if ((answer.ifr_flags & Compared) != (flags & Compared))
            throw new IOException($"TUN device {Name} has flags 0x{answer.ifr_flags:x}, 0x{flags:x} were asked for: it belongs to another program");
    }

    private static NativeFd OpenClone()
    {
        fixed (byte* path = Libc.DevNetTun)
            return new(SysResult.From(Libc.open(path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC)).ThrowOnError($"cannot open {ClonePath}"));
    }

    public void Dispose()
    {
        foreach (NativeFd queue in _queues) queue.Dispose();
    }
}
