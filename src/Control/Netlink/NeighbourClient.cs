using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>Reads and changes ARP and IPv6 neighbour entries. Methods throw <see cref="NetlinkException"/> when the kernel refuses.</summary>
internal sealed class NeighbourClient(NetlinkSocket socket)
{
    private const int BufferSize = 96;

    // What the kernel answers where there is nothing to delete.
    private static readonly int[] s_gone = [Errno.ENOENT, Errno.ENODEV];

    /// <summary>The entries of one link.</summary>
    /// <param name="link">The link.</param>
    /// <param name="family">IPv4, IPv6, or both if unspecified.</param>
    internal List<Neighbour> List(Link link, AddressFamily family = AddressFamily.Unspecified)
    {
        NetlinkMessageBuilder message = new(stackalloc byte[BufferSize], Libc.RTM_GETNEIGH);
        message.Append(new ndmsg { ndm_family = IPAddressFamily.Of(family) });
        // Kernels before 4.4 do not know this filter and list all links.
        message.Add(Libc.NDA_IFINDEX, link.Index);
        List<Neighbour> neighbours = socket.Dump<Neighbour>(message.Finish(), Neighbour.TryParse, () => $"list neighbours dev {link.Name}");
        neighbours.RemoveAll(neighbour => neighbour.LinkIndex != link.Index);
        return neighbours;
    }

    /// <summary>Makes an entry, or puts it in the place of the one for the same address.</summary>
    internal void Set(Neighbour neighbour) => socket.Execute(ForSet(stackalloc byte[BufferSize], neighbour), () => DescribeSet(neighbour));

    /// <summary>As <see cref="Set(Neighbour)"/>, when the batch is carried out.</summary>
    internal static void Set(NetlinkBatch batch, Neighbour neighbour) => batch.Add(ForSet(stackalloc byte[BufferSize], neighbour), () => DescribeSet(neighbour));

    /// <summary>Removes the entry for an address, whatever its state; false if there is none, or no such link.</summary>
    internal bool TryDelete(Neighbour neighbour) =>
        socket.TryExecute(ForDelete(stackalloc byte[BufferSize], neighbour), s_gone, () => DescribeDelete(neighbour));

    /// <summary>As <see cref="TryDelete"/>, when the batch is carried out; an entry that is gone already is no failure.</summary>
    internal static void Delete(NetlinkBatch batch, Neighbour neighbour) =>
        batch.Add(ForDelete(stackalloc byte[BufferSize], neighbour), () => DescribeDelete(neighbour), s_gone);

    private static Span<byte> ForSet(Span<byte> buffer, Neighbour neighbour)
    {
        NetlinkMessageBuilder message = new(buffer, Libc.RTM_NEWNEIGH, Libc.NLM_F_CREATE | Libc.NLM_F_REPLACE);
        AppendKey(ref message, neighbour);
        Span<byte> mac = stackalloc byte[MacAddress.Size];
        neighbour.Mac.Write(mac);
        message.Add(Libc.NDA_LLADDR, mac);
        return message.Finish();
    }

    private static Span<byte> ForDelete(Span<byte> buffer, Neighbour neighbour)
    {
        NetlinkMessageBuilder message = new(buffer, Libc.RTM_DELNEIGH);
        AppendKey(ref message, neighbour);
        return message.Finish();
    }

    private static void AppendKey(ref NetlinkMessageBuilder message, Neighbour neighbour)
    {
        message.Append(new ndmsg
        {
            ndm_family = IPAddressFamily.Of(neighbour.Address),
            ndm_ifindex = neighbour.LinkIndex,
            ndm_state = (ushort)neighbour.State,
            ndm_type = Libc.RTN_UNICAST,
        });
        message.Add(Libc.NDA_DST, neighbour.Address);
    }

    private static string DescribeSet(Neighbour neighbour) => $"set neighbour {neighbour}";

    private static string DescribeDelete(Neighbour neighbour) => $"delete neighbour {neighbour.Address}";
}
