using System.Buffers;
using System.Text;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>Reads and changes links. Methods throw <see cref="NetlinkException"/> when the kernel refuses.</summary>
internal sealed class LinkClient(NetlinkSocket socket)
{
    private const int BufferSize = 128;

    private static readonly SearchValues<char> s_notInNames = SearchValues.Create("/: \t\n\v\f\r\0");

    internal List<Link> List()
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETLINK);
        message.Append(new ifinfomsg());
        return socket.Dump<Link>(message.Finish(), Link.TryParse, () => "list links");
    }

    /// <summary>The link of that name, or null.</summary>
    /// <exception cref="ArgumentException">No link can have that name.</exception>
    internal Link? Find(string name)
    {
        ThrowIfNotAName(name);
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETLINK);
        message.Append(new ifinfomsg());
        message.Add(Libc.IFLA_IFNAME, name);
        return socket.TryGet<Link>(message.Finish(), Link.TryParse, [Errno.ENODEV], () => $"find link {name}", out Link? link) ? link : null;
    }

    /// <summary>The link of that index, or null.</summary>
    internal Link? Find(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(index);
        return Ask<Link>(index, Link.TryParse, () => $"find link {index}");
    }

    /// <summary>Packets that have arrived on the link, those it dropped included (IFLA_STATS64).</summary>
    internal long ReadArrivals(int index)
    {
        string attempted = $"read the counters of link {index}";
        return (Ask<LinkArrivals>(index, LinkArrivals.TryParse, () => attempted) ?? throw new NetlinkException(Errno.ENODEV, attempted)).Packets;
    }

    /// <summary>The link of that name; throws with ENODEV if there is none.</summary>
    internal Link Get(string name) => Find(name) ?? throw new NetlinkException(Errno.ENODEV, $"find link {name}");

    /// <summary>The link of that index; throws with ENODEV if there is none.</summary>
    internal Link Get(int index) => Find(index) ?? throw new NetlinkException(Errno.ENODEV, $"find link {index}");

    internal void SetUp(Link link) => SetFlags(link, Libc.IFF_UP, () => $"set {link.Name} up");

    internal void SetDown(Link link) => SetFlags(link, 0, () => $"set {link.Name} down");

    /// <summary>Gives the link another name.</summary>
    internal void Rename(Link link, string name)
    {
        if (!TryRename(link, name)) throw new NetlinkException(Errno.EBUSY, $"rename link {link.Name} to {name}");
    }

    /// <summary>As <see cref="Rename"/>, but false if the link must be down for it (before Linux 6.2).</summary>
    internal bool TryRename(Link link, string name)
    {
        ThrowIfNotAName(name);
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        message.Add(Libc.IFLA_IFNAME, name);
        return socket.TryExecute(message.Finish(), [Errno.EBUSY], () => $"rename link {link.Name} to {name}");
    }

    /// <summary>Sets the largest packet in bytes; the range depends on the kind of link (68 to 65535 for TUN).</summary>
    internal void SetMtu(Link link, int mtu) => SetNumber(link, Libc.IFLA_MTU, mtu, () => $"set MTU {mtu} on {link.Name}");

    /// <summary>Sets the Ethernet address; the kernel forgets the link's neighbours, permanent ones too (net/core/neighbour.c, neigh_changeaddr).</summary>
    internal void SetAddress(Link link, MacAddress address)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        Span<byte> bytes = stackalloc byte[MacAddress.Size];
        address.Write(bytes);
        message.Add(Libc.IFLA_ADDRESS, bytes);
        socket.Execute(message.Finish(), () => $"set address {address} on {link.Name}");
    }

    /// <summary>Sets how many packets the queueing discipline may hold; one that is attached already keeps its limit.</summary>
    internal void SetTransmitQueueLength(Link link, int packets) =>
        SetNumber(link, Libc.IFLA_TXQLEN, packets, () => $"set txqueuelen {packets} on {link.Name}");

    /// <summary>
    /// Keeps the kernel from giving the link an IPv6 link-local address when it comes up. False if this kernel has no IPv6
    /// (EAFNOSUPPORT), and so would not.
    /// </summary>
    internal bool TrySetNoLinkLocal(Link link)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        int families = message.BeginNested(Libc.IFLA_AF_SPEC);
        int ipv6 = message.BeginNested(Libc.AF_INET6);
        message.Add(Libc.IFLA_INET6_ADDR_GEN_MODE, [Libc.IN6_ADDR_GEN_MODE_NONE]);
        message.EndNested(ipv6);
        message.EndNested(families);
        return socket.TryExecute(message.Finish(), [Errno.EAFNOSUPPORT], () => $"set IPv6 address generation off on {link.Name}");
    }

    /// <summary>Removes a link of a kind that can be removed.</summary>
    internal void Delete(Link link)
    {
        if (!TryDelete(link)) throw new NetlinkException(Errno.ENODEV, $"delete link {link.Name}");
    }

    /// <summary>As <see cref="Delete"/>, but false if the link is gone already.</summary>
    internal bool TryDelete(Link link)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_DELLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        return socket.TryExecute(message.Finish(), [Errno.ENODEV], () => $"delete link {link.Name}");
    }

    /// <summary>What the kernel says of the link of that index, or null if there is none.</summary>
    private T? Ask<T>(int index, NetlinkParser<T> parser, Func<string> attempted)
        where T : class
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETLINK);
        message.Append(new ifinfomsg { ifi_index = index });
        return socket.TryGet(message.Finish(), parser, [Errno.ENODEV], attempted, out T? found) ? found : null;
    }

    private void SetFlags(Link link, uint flags, Func<string> attempted)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index, ifi_flags = flags, ifi_change = Libc.IFF_UP });
        socket.Execute(message.Finish(), attempted);
    }

    private void SetNumber(Link link, int attribute, int value, Func<string> attempted)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_SETLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        message.Add(attribute, value);
        socket.Execute(message.Finish(), attempted);
    }

    // The kernel answers a name it cannot store with ERANGE or cuts it, depending on its version; the rule is dev_valid_name's.
    private static void ThrowIfNotAName(string name)
    {
        if (name is "" or "." or ".." || Encoding.UTF8.GetByteCount(name) >= Libc.IFNAMSIZ
            || name.AsSpan().ContainsAny(s_notInNames))
        {
            throw new ArgumentException($"'{name}' cannot be the name of a link: 1 to {Libc.IFNAMSIZ - 1} bytes without '/', ':' and white space", nameof(name));
        }
    }
}
