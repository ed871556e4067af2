using System.Buffers.Binary;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// Whole Ethernet frames of one device (packet(7)), each behind a virtio-net header, because a frame that a local program sent has no
/// checksum yet and the header says where it belongs. Owns the descriptor.
/// </summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    private const int BufferBytes = 8 << 20;
    private readonly NativeFd _fd;

    private PacketSocket(int fd) => _fd = new NativeFd(fd);

    internal int Fd => _fd.Number;

    /// <summary>Opens one for everything that arrives at a device.</summary>
    /// <exception cref="AgentException">There is no such device, or the kernel refused.</exception>
    internal static PacketSocket Open(string device)
    {
        uint index = Libc.if_nametoindex(device);
        if (index == 0) throw new AgentException($"there is no device {device}");
        ushort all = BinaryPrimitives.ReverseEndianness((ushort)Libc.ETH_P_ALL);
        // Protocol 0: nothing is received before the device is chosen.
        SysResult opened = SysResult.From(Libc.socket(Libc.AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0));
        if (opened.IsError) throw new AgentException($"delay, reordering and duplication need packet sockets (CONFIG_PACKET, CAP_NET_RAW): {Errno.Describe(opened.Errno)}");
        var socket = new PacketSocket(opened.Value);
        try
        {
            socket.Set(Libc.SOL_PACKET, Libc.PACKET_VNET_HDR, 1, "PACKET_VNET_HDR");
            // Otherwise what one direction sends is received by the other one, for ever.
            socket.Set(Libc.SOL_PACKET, Libc.PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
            socket.Set(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, BufferBytes, "SO_RCVBUFFORCE");
            socket.Set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, BufferBytes, "SO_SNDBUFFORCE");
            sockaddr_ll address = new() { sll_family = Libc.AF_PACKET, sll_protocol = all, sll_ifindex = (int)index };
            SysResult bound = SysResult.From(Libc.bind(socket.Fd, &address, (uint)sizeof(sockaddr_ll)));
            return bound.IsSuccess ? socket : throw LabSocket.Failure($"bind to {device}", bound);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits for a frame at most so long.</summary>
    internal void Wait(long nanoseconds)
    {
        timespec timeout = new() { tv_sec = nanoseconds / Clock.Second, tv_nsec = nanoseconds % Clock.Second };
        pollfd ready = new() { fd = Fd, events = Libc.POLLIN };
        _ = Libc.ppoll(&ready, 1, &timeout, null);
    }

    /// <summary>Frames that arrived while the receive buffer was full, since the last call.</summary>
    internal long TakeDrops()
    {
        tpacket_stats statistics;
        uint length = (uint)sizeof(tpacket_stats);
        SysResult read = SysResult.From(Libc.getsockopt(Fd, Libc.SOL_PACKET, Libc.PACKET_STATISTICS, &statistics, &length));
        return read.IsSuccess ? statistics.tp_drops : throw LabSocket.Failure("read PACKET_STATISTICS", read);
    }

    public void Dispose() => _fd.Dispose();

    private void Set(int level, int option, int value, string name)
    {
        SysResult result = SysResult.From(Libc.setsockopt(Fd, level, option, &value, sizeof(int)));
        if (result.IsError) throw LabSocket.Failure($"set {name}", result);
    }
}
