using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>Reads and changes the forwarding databases of VXLAN devices. Methods throw <see cref="NetlinkException"/> when the kernel refuses.</summary>
internal sealed class FdbClient(NetlinkSocket socket)
{
    private const int BufferSize = 96;

    private static readonly int[] s_gone = [Errno.ENOENT, Errno.ENODEV];

    /// <summary>The entries of one device.</summary>
    internal List<FdbEntry> List(Link link)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETNEIGH);
        // Not ndmsg: the kernel takes the index for a filter only in a struct of this length (net/core/rtnetlink.c, valid_fdb_dump_legacy).
        message.Append(new ifinfomsg { ifi_family = Libc.AF_BRIDGE, ifi_index = link.Index });
        List<FdbEntry> entries = socket.Dump<FdbEntry>(message.Finish(), FdbEntry.TryParse, () => $"list the forwarding database of {link.Name}");
        entries.RemoveAll(entry => entry.LinkIndex != link.Index);
        return entries;
    }

    /// <summary>Makes an entry, or gives the one for the same unicast address its destination.</summary>
    /// <param name="entry">Plain, with a destination.</param>
    internal void Set(FdbEntry entry) => socket.Execute(ForSet(stackalloc byte[BufferSize], entry), () => DescribeSet(entry));

    /// <summary>As <see cref="Set(FdbEntry)"/>, when the batch is carried out.</summary>
    internal static void Set(NetlinkBatch batch, FdbEntry entry) => batch.Add(ForSet(stackalloc byte[BufferSize], entry), () => DescribeSet(entry));

    /// <summary>
    /// Removes an entry; false if the device has none for that address, or is gone. One with another destination stays, and the kernel
    /// calls that a success (drivers/net/vxlan, __vxlan_fdb_delete).
    /// </summary>
    internal bool TryDelete(FdbEntry entry) => socket.TryExecute(ForDelete(stackalloc byte[BufferSize], entry), s_gone, () => DescribeDelete(entry));

    /// <summary>As <see cref="TryDelete"/>, when the batch is carried out; an entry that is gone already is no failure.</summary>
    internal static void Delete(NetlinkBatch batch, FdbEntry entry) =>
        batch.Add(ForDelete(stackalloc byte[BufferSize], entry), () => DescribeDelete(entry), s_gone);

    private static Span<byte> ForSet(Span<byte> buffer, FdbEntry entry) =>
        Build(new(buffer, Libc.RTM_NEWNEIGH, Libc.NLM_F_CREATE | Libc.NLM_F_REPLACE), entry);

    private static Span<byte> ForDelete(Span<byte> buffer, FdbEntry entry) => Build(new(buffer, Libc.RTM_DELNEIGH), entry);

    private static Span<byte> Build(NetlinkMessageBuilder message, FdbEntry entry)
    {
        message.Append(new ndmsg
        {
            ndm_family = Libc.AF_BRIDGE,
            ndm_ifindex = entry.LinkIndex,
            ndm_state = (ushort)entry.State,
            ndm_flags = Libc.NTF_SELF,
        });
        if (entry.Destination is not null) message.Add(Libc.NDA_DST, entry.Destination);
        Span<byte> mac = stackalloc byte[MacAddress.Size];
        entry.Mac.Write(mac);
        message.Add(Libc.NDA_LLADDR, mac);
        return message.Finish();
    }

    private static string DescribeSet(FdbEntry entry) => $"set forwarding entry {entry}";

    private static string DescribeDelete(FdbEntry entry) => $"delete forwarding entry {entry}";
}
