using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>What a link has received so far.</summary>
/// <param name="Packets">Those handed on and those dropped.</param>
internal sealed record LinkArrivals(long Packets)
{
    /// <summary>Places in struct rtnl_link_stats64 (linux/if_link.h).</summary>
    private const int Received = 0, Dropped = 6;

    /// <summary>Reads RTM_NEWLINK.</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out LinkArrivals? arrivals)
    {
        arrivals = null;
        if (message.Type != Libc.RTM_NEWLINK || !message.TryRead(out ifinfomsg _, out NetlinkAttributeReader attributes)) return false;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            if (attribute.Type != Libc.IFLA_STATS64) continue;
            ReadOnlySpan<long> counters = MemoryMarshal.Cast<byte, long>(attribute.Value);
            if (counters.Length > Dropped) arrivals = new(counters[Received] + counters[Dropped]);
        }
        return arrivals is not null;
    }
}
