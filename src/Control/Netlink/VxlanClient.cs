using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// Makes VXLAN devices; <see cref="LinkClient"/> reads and deletes them like any other link. Methods throw
/// <see cref="NetlinkException"/> when the kernel refuses.
/// </summary>
internal sealed class VxlanClient(NetlinkSocket socket)
{
    private const int BufferSize = 512;
    private const string Kind = "vxlan";

    /// <summary>Makes a device, which is down; false if a link of that name exists.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="mac">Its Ethernet address. Given with the request, not later: udev overwrites one that the kernel chose (flannel issue 1155).</param>
    /// <param name="mtu">Bytes of the largest inner packet; the kernel silently takes less where the outer link has less.</param>
    /// <param name="attributes">The rest.</param>
    /// <param name="place">A network namespace to put it in, while its datagrams come and go in this one; null for this one.</param>
    internal bool TryCreate(string name, MacAddress mac, int mtu, VxlanAttributes attributes, NativeFd? place = null)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_NEWLINK, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL);
        message.Append(new ifinfomsg());
        message.Add(Libc.IFLA_IFNAME, name);
        message.Add(Libc.IFLA_MTU, mtu);
        // flannel's, from the zero of an unset field: no queueing discipline, as the kernel's own default for this kind.
        message.Add(Libc.IFLA_TXQLEN, 0);
        if (place is not null) message.Add(Libc.IFLA_NET_NS_FD, place.Number);
        Span<byte> address = stackalloc byte[MacAddress.Size];
        mac.Write(address);
        message.Add(Libc.IFLA_ADDRESS, address);
        int info = BeginData(ref message, out int data);
        attributes.Write(ref message);
        message.EndNested(data);
        message.EndNested(info);
        return socket.TryExecute(message.Finish(), [Errno.EEXIST], () => $"make VXLAN device {name}");
    }

    /// <summary>Switches learning on or off on a device that lives.</summary>
    internal void SetLearning(Link link, bool learning)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_NEWLINK);
        message.Append(new ifinfomsg { ifi_index = link.Index });
        int info = BeginData(ref message, out int data);
        message.Add(Libc.IFLA_VXLAN_LEARNING, [learning ? (byte)1 : (byte)0]);
        message.EndNested(data);
        message.EndNested(info);
        socket.Execute(message.Finish(), () => $"set learning {(learning ? "on" : "off")} on {link.Name}");
    }

    /// <summary>
    /// Asks whether this process can make VXLAN devices here, without making one: a VNI beyond 24 bits is refused with ERANGE, but only
    /// after the permission was checked and the driver was found or loaded (net/core/rtnetlink.c, rtnl_newlink; drivers/net/vxlan, vxlan_validate).
    /// </summary>
    /// <returns>Null if it can, else why it cannot.</returns>
    internal NetlinkException? Probe()
    {
        const string Name = "flannel.probe";
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_NEWLINK, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL);
        message.Append(new ifinfomsg());
        message.Add(Libc.IFLA_IFNAME, Name);
        int info = BeginData(ref message, out int data);
        message.Add(Libc.IFLA_VXLAN_ID, 1u << 24);
        message.EndNested(data);
        message.EndNested(info);
        try
        {
            if (!socket.TryExecute(message.Finish(), [Errno.ERANGE], () => "make a VXLAN device")) return null;
            return new(Errno.EBADMSG, "make a VXLAN device", "the kernel took a VNI of 25 bits: this is no Linux VXLAN driver");
        }
        catch (NetlinkException refused)
        {
            return refused;
        }
    }

    private static int BeginData(ref NetlinkMessageBuilder message, out int data)
    {
        int info = message.BeginNested(Libc.IFLA_LINKINFO);
        message.Add(Libc.IFLA_INFO_KIND, Kind);
        data = message.BeginNested(Libc.IFLA_INFO_DATA);
        return info;
    }
}
