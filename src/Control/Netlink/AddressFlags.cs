using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>IFA_F_… of linux/if_addr.h.</summary>
[Flags]
internal enum AddressFlags : uint
{
    None = 0,

    /// <summary>IPv6: an address of the privacy extensions, soon to be another. IPv4: not the first of its subnet (IFA_F_SECONDARY is the same bit).</summary>
    Temporary = Libc.IFA_F_TEMPORARY,

    /// <summary>IPv6: usable at once, without duplicate address detection.</summary>
    NoDad = Libc.IFA_F_NODAD,

    /// <summary>IPv6: another host has the address; it is not used.</summary>
    DadFailed = Libc.IFA_F_DADFAILED,

    /// <summary>Its preferred lifetime is over: still there, but not for new connections.</summary>
    Deprecated = Libc.IFA_F_DEPRECATED,

    /// <summary>IPv6: duplicate address detection is not finished; bind(2) to the address fails.</summary>
    Tentative = Libc.IFA_F_TENTATIVE,

    /// <summary>Without a lifetime.</summary>
    Permanent = Libc.IFA_F_PERMANENT,

    /// <summary>The kernel does not add the route to the address's prefix.</summary>
    NoPrefixRoute = Libc.IFA_F_NOPREFIXROUTE,
}
