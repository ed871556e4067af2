using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>What the kernel knows of a neighbour (NUD_… of linux/neighbour.h).</summary>
[Flags]
internal enum NeighbourState : ushort
{
    None = 0,
    Incomplete = Libc.NUD_INCOMPLETE,
    Reachable = Libc.NUD_REACHABLE,
    Stale = Libc.NUD_STALE,
    Delay = Libc.NUD_DELAY,
    Probe = Libc.NUD_PROBE,
    Failed = Libc.NUD_FAILED,

    /// <summary>Needs no resolution, for example a multicast address.</summary>
    NoArp = Libc.NUD_NOARP,

    /// <summary>Set by somebody and never asked for again. It goes with the link's "up" and with the link's own address.</summary>
    Permanent = Libc.NUD_PERMANENT,
}
