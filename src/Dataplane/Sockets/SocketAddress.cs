using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Sockets;

/// <summary>Writes and reads the kernel's socket addresses of the two IP families.</summary>
internal static unsafe class SocketAddress
{
    /// <summary>Room for either family, bytes; a multiple of 8.</summary>
    internal const int MaxSize = 32;

    /// <summary>Writes <paramref name="address"/> and <paramref name="port"/> to <paramref name="destination"/>; returns the length.</summary>
    internal static uint Write(void* destination, IPAddress address, int port)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            Span<byte> raw = stackalloc byte[4];
            address.TryWriteBytes(raw, out _);
            return WriteIpv4(destination, BinaryPrimitives.ReadUInt32BigEndian(raw), port);
        }
        Span<byte> raw6 = stackalloc byte[16];
        address.TryWriteBytes(raw6, out _);
        uint length = WriteIpv6(destination, BinaryPrimitives.ReadUInt128BigEndian(raw6), port);
        ((sockaddr_in6*)destination)->sin6_scope_id = (uint)address.ScopeId;
        return length;
    }

    /// <summary>Writes an IPv4 address given in host order.</summary>
    internal static uint WriteIpv4(void* destination, uint address, int port)
    {
        *(sockaddr_in*)destination = new()
        {
            sin_family = Libc.AF_INET,
            sin_port = BinaryPrimitives.ReverseEndianness((ushort)port),
            sin_addr = BinaryPrimitives.ReverseEndianness(address),
        };
        return (uint)sizeof(sockaddr_in);
    }

    /// <summary>Writes an IPv6 address given as a number.</summary>
    internal static uint WriteIpv6(void* destination, UInt128 address, int port)
    {
        var target = (sockaddr_in6*)destination;
        *target = new() { sin6_family = Libc.AF_INET6, sin6_port = BinaryPrimitives.ReverseEndianness((ushort)port) };
        BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(target->sin6_addr, 16), address);
        return (uint)sizeof(sockaddr_in6);
    }
}
