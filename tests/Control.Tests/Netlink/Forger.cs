using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tests.Netlink;

/// <summary>A process that sends netlink datagrams to another socket than the kernel's.</summary>
internal static unsafe class Forger
{
    /// <summary>A channel whose port id is known; the caller owns it.</summary>
    internal static NetlinkChannel OpenVictim(out uint port)
    {
        NativeFd socket = Open();
        sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK };
        uint length = (uint)sizeof(sockaddr_nl);
        SysResult.From(Libc.bind(socket.Number, &address, length)).ThrowOnError("bind a netlink socket");
        SysResult.From(Libc.getsockname(socket.Number, &address, &length)).ThrowOnError("read a port id");
        port = address.nl_pid;
        return new(socket);
    }

    internal static void Send(uint port, ReadOnlySpan<byte> datagram)
    {
        using NativeFd socket = Open();
        sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK, nl_pid = port };
        fixed (byte* bytes = datagram)
        {
            SysResult.From(Libc.sendto(socket.Number, bytes, (nuint)datagram.Length, 0, &address, (uint)sizeof(sockaddr_nl)))
                .ThrowOnError("send to another netlink socket");
        }
    }

    private static NativeFd Open() => new(Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, Libc.NETLINK_ROUTE));
}
