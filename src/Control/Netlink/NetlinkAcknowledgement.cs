using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>How a request ended, as NLMSG_ERROR (also for success) or NLMSG_DONE (after a dump) tells it.</summary>
/// <param name="Errno">0, or the positive error number.</param>
/// <param name="Sentence">The kernel's explanation (NLMSGERR_ATTR_MSG), if it gave one.</param>
internal readonly record struct NetlinkAcknowledgement(int Errno, string? Sentence)
{
    internal static NetlinkAcknowledgement Read(NetlinkMessage message)
    {
        // Before Linux 5.x some dumps ended with an NLMSG_DONE without a number: success.
        if (!MemoryMarshal.TryRead(message.Payload, out int error))
            return new(message.Type == Libc.NLMSG_DONE ? 0 : Dataplane.Interop.Errno.EBADMSG, null);
        return new(error == int.MinValue ? Dataplane.Interop.Errno.EBADMSG : Math.Abs(error), ReadSentence(message));
    }

    private static string? ReadSentence(NetlinkMessage message)
    {
        if ((message.Header.nlmsg_flags & Libc.NLM_F_ACK_TLVS) == 0) return null;
        int start = sizeof(int);
        if (message.Type == Libc.NLMSG_ERROR)
        {
            if (!MemoryMarshal.TryRead(message.Payload, out nlmsgerr echoed)) return null;
            start = Unsafe.SizeOf<nlmsgerr>();
            // The request itself stands between, unless NETLINK_CAP_ACK cut it off behind its header.
            if ((message.Header.nlmsg_flags & Libc.NLM_F_CAPPED) == 0)
            {
                if (echoed.msg.nlmsg_len > (uint)message.Payload.Length) return null;
                start += NetlinkAlignment.Up((int)echoed.msg.nlmsg_len) - Libc.NLMSG_HDRLEN;
            }
        }
        if (start < 0 || start > message.Payload.Length) return null;
        NetlinkAttributeReader attributes = new(message.Payload[start..]);
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            if (attribute.Type == Libc.NLMSGERR_ATTR_MSG) return attribute.Text;
        }
        return null;
    }
}
