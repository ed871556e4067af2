using System.Buffers.Binary;
using System.Net;
using System.Text;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Sockets;
using InternetAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// A UDP socket at the address of a TUN device. One thread receives, others may send.
/// What it sends has as many hops before it as there can be, and it hears only what has made those of the tunnel and no other (the Generalized TTL Security Mechanism, RFC 5082):
/// flannel's own rules masquerade containers of other networks as the device, source port and all, and a router forwards with one hop less.
/// </summary>
internal sealed unsafe class LaneHelloSocket : IDisposable
{
    /// <summary>Hops: <see cref="FarthestTtl"/> less the two that the ends of the tunnel take (stock flannel's proxy, too).</summary>
    private const int FarthestTtl = 255, TtlOfDevice = FarthestTtl - 2;

    private readonly NativeFd _fd;
    private readonly IPEndPoint _here;

    private LaneHelloSocket(NativeFd fd, IPEndPoint here) => (_fd, _here) = (fd, here);

    /// <summary>Binds it.</summary>
    /// <param name="device">Only what arrives by this device is heard: pods of this host reach the address by their own interface.</param>
    /// <param name="here">The device's address, and the port here and at the other hosts.</param>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal static LaneHelloSocket Bind(string device, IPEndPoint here)
    {
        string attempted = $"cannot ask for other hosts' lanes from {here} on {device}";
        // Not blocking: with packets that nobody takes from the device, what is said is lost instead of waiting.
        var fd = new NativeFd(SysResult.From(Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0)).ThrowOnError(attempted));
        try
        {
            fixed (byte* name = Encoding.ASCII.GetBytes(device + '\0'))
                SysResult.From(Libc.setsockopt(fd.Number, Libc.SOL_SOCKET, Libc.SO_BINDTODEVICE, name, (uint)device.Length + 1)).ThrowOnError(attempted);
            int farthest = FarthestTtl;
            SysResult.From(Libc.setsockopt(fd.Number, Libc.IPPROTO_IP, Libc.IP_TTL, &farthest, sizeof(int))).ThrowOnError(attempted);
            // Strangers do not even wake the thread. The time to live is at offset 8 of the IP header.
            SocketFilter.TakeOnly(fd.Number, Libc.BPF_B, Libc.SKF_NET_OFF + 8, TtlOfDevice).ThrowOnError(attempted);
            byte* address = stackalloc byte[InternetAddress.MaxSize];
            uint length = InternetAddress.Write(address, here.Address, here.Port);
            SysResult.From(Libc.bind(fd.Number, address, length)).ThrowOnError(attempted);
            return new(fd, here);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    /// <summary>Puts another one in this one's place, in one step, and takes it over.</summary>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal void Become(LaneHelloSocket other)
    {
        using (other) SysResult.From(Libc.dup3(other._fd.Number, _fd.Number, Libc.O_CLOEXEC)).ThrowOnError("cannot replace a UDP socket");
    }

    /// <summary>Waits until there is something to receive, <paramref name="other"/> is readable, or the time is over.</summary>
    internal void Wait(int other, TimeSpan atMost)
    {
        pollfd* both = stackalloc pollfd[] { new() { fd = _fd.Number, events = Libc.POLLIN }, new() { fd = other, events = Libc.POLLIN } };
        _ = Libc.poll(both, 2, (int)Math.Ceiling(atMost.TotalMilliseconds));
    }

    /// <summary>Sends one. What the kernel refuses (no route or no room for the moment, a device that is gone) is lost like one that is lost on the way: it is said again.</summary>
    internal void Send(IPAddress to, LaneHello hello)
    {
        byte* datagram = stackalloc byte[LaneHello.Size];
        hello.Write(new(datagram, LaneHello.Size));
        byte* address = stackalloc byte[InternetAddress.MaxSize];
        _ = Libc.sendto(_fd.Number, datagram, LaneHello.Size, 0, address, InternetAddress.Write(address, to, _here.Port));
    }

    /// <summary>Receives a datagram that is there.</summary>
    /// <param name="from">Where it came from; null if it is no hello from another host's port.</param>
    /// <param name="hello">What it says.</param>
    /// <returns>False if there is none.</returns>
    internal bool TryReceive(out IPAddress? from, out LaneHello hello)
    {
        (from, hello) = (null, default);
        byte* datagram = stackalloc byte[LaneHello.Size];
        sockaddr_in sender;
        uint length = (uint)sizeof(sockaddr_in);
        nint received = Libc.recvfrom(_fd.Number, datagram, LaneHello.Size, 0, &sender, &length);
        if (received < 0) return false;
        bool isHello = BinaryPrimitives.ReverseEndianness(sender.sin_port) == _here.Port && LaneHello.TryRead(new(datagram, (int)received), out hello);
        if (isHello) from = new(sender.sin_addr);
        return true;
    }

    public void Dispose() => _fd.Dispose();
}
