using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Address families as the kernel numbers them, and networks from its bytes.</summary>
internal static class IPAddressFamily
{
    /// <summary>Bytes of an address of AF_INET or AF_INET6; 0 for any other family.</summary>
    internal static int SizeOf(byte family) => family switch
    {
        Libc.AF_INET => 4,
        Libc.AF_INET6 => 16,
        _ => 0,
    };

    /// <summary>AF_INET or AF_INET6. .NET numbers its own enumeration as Windows does.</summary>
    internal static byte Of(IPAddress address) => Of(address.AddressFamily);

    /// <summary>AF_INET, AF_INET6 or, for both, AF_UNSPEC.</summary>
    internal static byte Of(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => Libc.AF_INET,
        AddressFamily.InterNetworkV6 => Libc.AF_INET6,
        AddressFamily.Unspecified => Libc.AF_UNSPEC,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "neither IPv4 nor IPv6"),
    };

    /// <summary>The network an address lies in: <see cref="IPNetwork"/> refuses host bits, the kernel may send them.</summary>
    /// <param name="address">Of any family.</param>
    /// <param name="prefixLength">Not more than the bits of the address.</param>
    internal static IPNetwork Network(IPAddress address, int prefixLength)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        for (int i = 0; i < length; i++)
        {
            int kept = Math.Clamp(prefixLength - 8 * i, 0, 8);
            bytes[i] &= (byte)(0xff00 >> kept);
        }
        return new(new IPAddress(bytes[..length]), prefixLength);
    }
}
