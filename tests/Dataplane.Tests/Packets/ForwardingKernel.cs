using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>
/// This machine's kernel as a router between two TUN devices in a network namespace of its own: what enters "in" as a
/// super-packet leaves "out", which has no offloads, cut and finished by the kernel. The namespace ends with the object.
/// </summary>
internal sealed unsafe partial class ForwardingKernel : IDisposable
{
    private const int CloneNewNet = 0x40000000;

    // Hosts 0-127 of PacketSpec's networks are behind "in", 128-255 behind "out".
    private const string Setup = """
        set -e
        ip link set in up mtu 65535
        ip link set out up mtu 65535 txqueuelen 70000
        ip route add 10.0.0.0/25 dev in
        ip route add 10.0.0.128/25 dev out
        ip -6 route add fd00::/121 dev in
        ip -6 route add fd00::80/121 dev out
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
        echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter
        echo 0 > /proc/sys/net/ipv4/conf/in/rp_filter
        """;

    private readonly NativeFd _in;
    private readonly NativeFd _out;
    private readonly byte[] _buffer = new byte[65575];

    private ForwardingKernel(NativeFd input, NativeFd output) => (_in, _out) = (input, output);

    /// <summary>Null with the reason if this process may not make namespaces and devices here.</summary>
    internal static ForwardingKernel? TryCreate(out string reason)
    {
        if (Libc.geteuid() != 0 || !File.Exists("/dev/net/tun"))
        {
            reason = "needs root and /dev/net/tun";
            return null;
        }
        ForwardingKernel? kernel = null;
        string failure = "";
        // unshare(2) moves only the calling thread, and children it starts; the thread ends here, the devices hold the namespace.
        Thread thread = new(() =>
        {
            if (Unshare(CloneNewNet) != 0)
            {
                failure = "unshare(CLONE_NEWNET) was refused";
                return;
            }
            kernel = new(OpenTun("in", Libc.IFF_VNET_HDR), OpenTun("out", 0));
            using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Setup]) { RedirectStandardError = true })!;
            failure = shell.StandardError.ReadToEnd();
            shell.WaitForExit();
            if (shell.ExitCode == 0) return;
            kernel.Dispose();
            kernel = null;
        });
        thread.Start();
        thread.Join();
        reason = failure;
        return kernel;
    }

    /// <summary>Writes one frame to "in" and returns what "out" got to the destination hosts of <paramref name="version"/>.</summary>
    internal List<byte[]> Forward(virtio_net_hdr header, ReadOnlySpan<byte> packet, int version)
    {
        byte[] frame = [.. new ReadOnlySpan<byte>(&header, sizeof(virtio_net_hdr)), .. packet];
        // Whatever the kernel sends on its own account (router solicitations) has gone to the device before: discard it.
        while (Read() != null) ;
        fixed (byte* bytes = frame)
        {
            nint written = Libc.write(_in.Number, bytes, (nuint)frame.Length);
            Assert.True(written == frame.Length, $"write: errno {Marshal.GetLastSystemError()}");
        }
        List<byte[]> packets = [];
        while (Read() is byte[] received)
        {
            bool forwarded = received[0] >> 4 == version && (version == 4 ? received[16] == 10 : received[24] == 0xFD);
            if (forwarded) packets.Add(received);
        }
        return packets;
    }

    private byte[]? Read()
    {
        fixed (byte* bytes = _buffer)
        {
            nint length = Libc.read(_out.Number, bytes, (nuint)_buffer.Length);
            return length > 0 ? _buffer[..(int)length] : null;
        }
    }

    private static NativeFd OpenTun(string name, ushort flags)
    {
        NativeFd fd;
        fixed (byte* path = Libc.DevNetTun) fd = new(Libc.open(path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC));
        ifreq request = default;
        Encoding.ASCII.GetBytes(name, new Span<byte>(request.ifr_name, Libc.IFNAMSIZ));
        request.ifr_flags = (ushort)(Libc.IFF_TUN | Libc.IFF_NO_PI | flags);
        Assert.Equal(0, Libc.ioctl(fd.Number, Libc.TUNSETIFF, &request));
        return fd;
    }

    public void Dispose()
    {
        _in.Dispose();
        _out.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    private static partial int Unshare(int flags);
}
