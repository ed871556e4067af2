using System.Diagnostics.CodeAnalysis;
using System.Net;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>An IP address of a link as the kernel described it at one moment.</summary>
internal sealed record InterfaceAddress
{
    internal required int LinkIndex { get; init; }

    /// <summary>The host's own address; never with an IPv6 scope id.</summary>
    internal required IPAddress Address { get; init; }

    /// <summary>0 to 32, or to 128 for IPv6.</summary>
    internal required int PrefixLength { get; init; }

    /// <summary>The other end of a point-to-point link, where it is not the address itself; else null.</summary>
    internal IPAddress? Peer { get; init; }

    /// <summary>IPv4 only.</summary>
    internal IPAddress? Broadcast { get; init; }

    internal RouteScope Scope { get; init; }

    internal AddressFlags Flags { get; init; }

    /// <summary>"10.5.1.0/32".</summary>
    public override string ToString() => $"{Address}/{PrefixLength}";

    /// <summary>Reads RTM_NEWADDR and RTM_DELADDR.</summary>
    internal static bool TryParse(NetlinkMessage message, [NotNullWhen(true)] out InterfaceAddress? address)
    {
        address = null;
        if (message.Type is not (Libc.RTM_NEWADDR or Libc.RTM_DELADDR)) return false;
        if (!message.TryRead(out ifaddrmsg header, out NetlinkAttributeReader attributes)) return false;
        int size = IPAddressFamily.SizeOf(header.ifa_family);
        if (size == 0 || header.ifa_prefixlen > 8 * size || header.ifa_index is 0 or > int.MaxValue) return false;
        IPAddress? local = null, other = null, broadcast = null;
        uint flags = header.ifa_flags;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Libc.IFA_LOCAL: attribute.TryRead(size, ref local); break;
                case Libc.IFA_ADDRESS: attribute.TryRead(size, ref other); break;
                case Libc.IFA_BROADCAST: attribute.TryRead(size, ref broadcast); break;
                case Libc.IFA_FLAGS: attribute.TryRead(ref flags); break;
            }
        }
        // IFA_ADDRESS is the peer where there is one; IPv6 leaves IFA_LOCAL out where there is none (linux/if_addr.h).
        if (attributes.IsMalformed || (local ?? other) is not { } own) return false;
        address = new()
        {
            LinkIndex = (int)header.ifa_index,
            Address = own,
            PrefixLength = header.ifa_prefixlen,
            Peer = other is not null && !other.Equals(own) ? other : null,
            Broadcast = broadcast,
            Scope = (RouteScope)header.ifa_scope,
            Flags = (AddressFlags)flags,
        };
        return true;
    }
}
