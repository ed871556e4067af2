using System.Net;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using FlannelFast.Dataplane.Sockets;
using FlannelFast.Dataplane.Tun;
using FlannelFast.Lab.Hosting;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// bare: the system calls of a tunnel in user space and nothing else. What the TUN gives, virtio-net header and all, travels as one run of datagrams (UDP_SEGMENT)
/// and is written to the other TUN as it arrives (UDP_GRO): no peers, no checks, no checksums, no segments, no merging, not one look at a packet.
/// No wire format, therefore, but the ceiling for every one: what a tunnel of the same four calls does in between only makes it slower. It relies on
/// runs that arrive as they were sent, so the underlay must be plain veth. Bursts, pauses and scheduling are those of the engine.
/// </summary>
internal static unsafe class BareTunnel
{
    private const int DefaultPort = 8299, MaxRun = 65507, SegmentSize = 1472, Buffer = 4 << 20;

    /// <summary>With the header a run must not exceed <see cref="MaxRun"/>, and a single packet not a segment.</summary>
    private const int MaxFrame = 65000, Mtu = 1400;

    private const int EgressWindow = 64, IngressWindow = 4, IngressCalls = 4, Capacity = 65536 + 4096;

    /// <summary>Payload behind 52 bytes of TCP/IPv4 headers starts a cache line, as in the engine (PacketWorker.FrameOffset).</summary>
    private const int Offset = 128 - 52 - 10;

    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPAddress local = arguments.Address("--local"), peer = arguments.Address("--peer");
        string device = arguments.Word("--device", 15, "");
        int port = (int)arguments.Integer("--port", 1, 65535, DefaultPort);
        int pause = (int)arguments.Integer("--pause", 0, 1000, EngineOptions.DefaultPauseMicroseconds);
        arguments.Finish();
        try
        {
            using TunDevice tun = TunDevice.Create(device, 1, TunOffloads.Uso);
            if (!tun.HasVnetHeader) throw new AgentException("this kernel's TUN takes no super-packets");
            Tool.Run("ip", "link", "set", "dev", tun.Name, "mtu", $"{Mtu}", "gso_max_size", $"{MaxFrame}");
            using UdpPort udp = UdpPort.Bind(local, port, share: false, Buffer, gro: true, segment: true);
            if (!udp.Gro || !udp.Segment) throw new AgentException("this kernel has no UDP_SEGMENT or UDP_GRO");
            int size = SegmentSize;
            SysResult.From(Libc.setsockopt(udp.Fd, Libc.SOL_UDP, Libc.UDP_SEGMENT, &size, sizeof(int))).ThrowOnError("cannot set UDP_SEGMENT");
            using var slab = new NativeSlab((EgressWindow + IngressWindow) * (Capacity + 512));
            return new Loop(new HostPort(tun.QueueFd(0), [udp.Fd], control: null), slab, new(peer, port), pause).Run(context.Stop);
        }
        catch (Exception e) when (e is ErrnoException or LabException)
        {
            throw new AgentException(e.Message);
        }
    }

    private sealed class Loop
    {
        private readonly HostPort _port;
        private readonly int _pause;
        private readonly iovec* _frames;
        private readonly mmsghdr* _sending;
        private readonly iovec* _messages;
        private readonly mmsghdr* _receiving;
        private long _lost;
        private long _carried;

        internal Loop(HostPort port, NativeSlab slab, IPEndPoint peer, int pause)
        {
            (_port, _pause) = (port, pause);
            _frames = slab.Take<iovec>(EgressWindow);
            _sending = Prepare(slab, _frames, EgressWindow, Offset);
            _messages = slab.Take<iovec>(IngressWindow);
            _receiving = Prepare(slab, _messages, IngressWindow, 0);
            byte* address = slab.Take<byte>(SocketAddress.MaxSize);
            uint length = SocketAddress.Write(address, peer.Address, peer.Port);
            for (int i = 0; i < EgressWindow; i++)
            {
                _sending[i].msg_hdr.msg_name = address;
                _sending[i].msg_hdr.msg_namelen = length;
            }
        }

        internal BareResult Run(StopSignal stop)
        {
            var load = new LoadMeter();
            while (!stop.IsSet)
            {
                int frames = Egress(out long bytes);
                int messages = Ingress(ref bytes);
                if (frames + messages == 0)
                {
                    _port.Wait(tun: true, timeoutMilliseconds: 100);
                    continue;
                }
                bool heavy = bytes >= WorkerOptions.BulkBytes;
                if (load.Note(heavy)) _port.TrySetUrgency(load.IsBusy ? Urgency.RealTime : Urgency.Prompt);
                if (heavy && load.IsBusy && _pause > 0) _port.Pause(_pause);
            }
            return new() { Role = "bare", Carried = _carried, Lost = _lost };
        }

        private int Egress(out long bytes)
        {
            bytes = 0;
            int count = 0;
            for (; count < EgressWindow; count++)
            {
                _frames[count].iov_len = MaxRun;
                nint read = _port.ReadTun(&_frames[count], 1);
                if (read <= 0) break;
                _frames[count].iov_len = (nuint)read;
                bytes += read;
            }
            for (int sent = 0; sent < count;)
            {
                int now = _port.Send(0, _sending + sent, count - sent);
                if (now <= 0) _lost++;
                sent += Math.Max(now, 1);
            }
            _carried += count;
            return count;
        }

        private int Ingress(ref long bytes)
        {
            int messages = 0;
            for (int call = 0; call < IngressCalls; call++)
            {
                int received = _port.Receive(_receiving, IngressWindow);
                for (int i = 0; i < received; i++)
                {
                    iovec frame = new() { iov_base = _messages[i].iov_base, iov_len = _receiving[i].msg_len };
                    if (_port.WriteTun(&frame, 1) <= 0) _lost++;
                    bytes += _receiving[i].msg_len;
                }
                if (received <= 0) break;
                messages += received;
            }
            return messages;
        }

        private static mmsghdr* Prepare(NativeSlab slab, iovec* buffers, int count, int offset)
        {
            mmsghdr* messages = slab.Take<mmsghdr>(count);
            for (int i = 0; i < count; i++)
            {
                buffers[i] = new() { iov_base = slab.Take<byte>(Capacity) + offset, iov_len = 65536 };
                messages[i].msg_hdr = new() { msg_iov = &buffers[i], msg_iovlen = 1 };
            }
            return messages;
        }
    }
}
