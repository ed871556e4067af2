namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// Why a packet was not forwarded. Every received packet ends either forwarded or in exactly one of these.
/// Names and sentences are in <see cref="DropReasons"/>; the numbers are not stable, the names are.
/// </summary>
public enum DropReason : byte
{
#pragma warning disable CS1591 // Each value's sentence stands once, in DropReasons.
    /// <summary>Not dropped.</summary>
    None = 0,

    // The datagram around the packet (ingress).
    Short,
    TooBig,
    UnknownPeer,
    WrongPort,
    BadFlags,
    WrongVni,
    WrongMac,
    Loop,
    NotIp,

    // The packet itself (both directions).
    BadVersion,
    BadHeaderLength,
    BadLength,
    BadChecksum,
    BadOptions,
    SourceRoute,
    FragmentOverflow,
    Ttl,
    BadSource,
    BadDestination,
    SpoofedSource,
    Reflected,
    NotForUs,

    // The host's side (egress).
    NoRoute,
    BadVnetHeader,

    // What the kernel answered when the packet was handed over.
    SendNoBuffers,
    SendTooBig,
    SendUnreachable,
    SendDenied,
    SendFailed,
    TunDown,
    TunGone,
    TunFull,
    TunRefused,

    // In the express lane; never counted by a worker.
    LaneFailed,
#pragma warning restore CS1591
}
