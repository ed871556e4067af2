using System.Buffers.Binary;
using System.Net;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Reads and changes the IP addresses of links. Methods throw <see cref="NetlinkException"/> when the kernel refuses.</summary>
internal sealed class AddressClient(NetlinkSocket socket)
{
    private const int BufferSize = 128;

    /// <summary>All addresses of the namespace, both families.</summary>
    internal List<InterfaceAddress> List()
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETADDR);
        message.Append(new ifaddrmsg());
        return socket.Dump<InterfaceAddress>(message.Finish(), InterfaceAddress.TryParse, () => "list addresses");
    }

    /// <summary>The addresses of one link, both families.</summary>
    internal List<InterfaceAddress> List(Link link)
    {
        List<InterfaceAddress> addresses = List();
        addresses.RemoveAll(address => address.LinkIndex != link.Index);
        return addresses;
    }

    /// <summary>
    /// Adds an address. IPv4 prefixes up to /30 get their broadcast address, as ifconfig and Docker give it; /31 and /32
    /// have none (RFC 3021).
    /// </summary>
    /// <param name="link">The link that shall own it.</param>
    /// <param name="address">The host's address.</param>
    /// <param name="prefixLength">0 to 32, or to 128 for IPv6.</param>
    /// <param name="flags">What is asked for beside: <see cref="AddressFlags.NoDad"/>, <see cref="AddressFlags.NoPrefixRoute"/>.</param>
    internal void Add(Link link, IPAddress address, int prefixLength, AddressFlags flags = AddressFlags.None)
    {
        if (!TryAdd(link, address, prefixLength, flags))
            throw new NetlinkException(Errno.EEXIST, Attempt("add", link, address, prefixLength));
    }

    /// <summary>As <see cref="Add"/>, but false if the link has the address with that prefix length already.</summary>
    internal bool TryAdd(Link link, IPAddress address, int prefixLength, AddressFlags flags = AddressFlags.None)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_NEWADDR, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL);
        AppendAddress(ref message, link, address, prefixLength);
        if (flags != AddressFlags.None) message.Add(Libc.IFA_FLAGS, (uint)flags);
        if (IPAddressFamily.Of(address) == Libc.AF_INET && prefixLength <= 30)
            message.Add(Libc.IFA_BROADCAST, BroadcastOf(address, prefixLength));
        return socket.TryExecute(message.Finish(), [Errno.EEXIST], () => Attempt("add", link, address, prefixLength));
    }

    /// <summary>Removes an address; the kernel removes the routes that use it as their source.</summary>
    internal void Delete(Link link, IPAddress address, int prefixLength)
    {
        if (!TryDelete(link, address, prefixLength))
            throw new NetlinkException(Errno.EADDRNOTAVAIL, Attempt("delete", link, address, prefixLength));
    }

    /// <summary>As <see cref="Delete"/>, but false if the address or the link is gone already.</summary>
    internal bool TryDelete(Link link, IPAddress address, int prefixLength)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_DELADDR);
        AppendAddress(ref message, link, address, prefixLength);
        return socket.TryExecute(message.Finish(), [Errno.EADDRNOTAVAIL, Errno.ENODEV],
            () => Attempt("delete", link, address, prefixLength));
    }

    private static void AppendAddress(ref NetlinkMessageBuilder message, Link link, IPAddress address, int prefixLength)
    {
        byte family = IPAddressFamily.Of(address);
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, 8 * IPAddressFamily.SizeOf(family));
        message.Append(new ifaddrmsg
        {
            ifa_family = family,
            ifa_prefixlen = (byte)prefixLength,
            ifa_scope = (byte)(IPAddress.IsLoopback(address) ? RouteScope.Host : RouteScope.Universe),
            ifa_index = (uint)link.Index,
        });
        message.Add(Libc.IFA_LOCAL, address);
        message.Add(Libc.IFA_ADDRESS, address);
    }

    private static IPAddress BroadcastOf(IPAddress address, int prefixLength)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        uint value = BinaryPrimitives.ReadUInt32BigEndian(bytes) | (uint)(uint.MaxValue >> prefixLength);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new(bytes);
    }

    private static string Attempt(string verb, Link link, IPAddress address, int prefixLength) =>
        $"{verb} address {address}/{prefixLength} dev {link.Name}";
}
