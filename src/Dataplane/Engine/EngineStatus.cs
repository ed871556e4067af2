using FlannelFast.Dataplane.Express;

namespace FlannelFast.Dataplane.Engine;

/// <summary>A reading of the whole engine. Counters are read while workers run: each is right, the set may be some packets apart.</summary>
/// <param name="Capabilities">What was probed and is in use.</param>
/// <param name="Workers">One entry per worker thread.</param>
/// <param name="AllocatedBytes">Managed bytes allocated by the worker threads inside their loops since they started: 0 by design.</param>
/// <param name="Collections">Garbage collections of the process, all generations.</param>
/// <param name="ExpressLane">The express lane, or null when none was ever open.</param>
public sealed record EngineStatus(
    CapabilityStatus Capabilities, IReadOnlyList<WorkerStatus> Workers, long AllocatedBytes, int Collections, ExpressLaneStatus? ExpressLane = null);

/// <summary>Optimisations found on this host. "Available" is not enough to be listed as true: the engine uses it.</summary>
/// <param name="TunVnetHeader">Frames carry a virtio-net header.</param>
/// <param name="TunTso">TCP super-packets cross the TUN.</param>
/// <param name="TunUso">UDP super-packets cross the TUN (Linux 6.2).</param>
/// <param name="UdpSegment">Datagrams leave through UDP_SEGMENT. Turns false when the kernel refuses it at run time.</param>
/// <param name="UdpGro">Datagrams arrive through UDP_GRO.</param>
/// <param name="RealTime">Busy workers run in real time. Known once the workers have started.</param>
/// <param name="SourcePorts">Source ports that each worker spreads flows over; of several workers the fewest. 1 is the tunnel's own port alone.</param>
/// <param name="SourcePortShortage">Why there are fewer than asked for, or null.</param>
/// <param name="ReceiveBuffer">SO_RCVBUF as read back, bytes.</param>
/// <param name="SendBuffer">SO_SNDBUF as read back, bytes.</param>
public sealed record CapabilityStatus(
    bool TunVnetHeader, bool TunTso, bool TunUso, bool UdpSegment, bool UdpGro, bool RealTime,
    int SourcePorts, string? SourcePortShortage, int ReceiveBuffer, int SendBuffer)
{
    /// <summary>Busy workers could run in real time, but are not to (<see cref="PacketEngine.AvoidRealTime"/>).</summary>
    public bool AvoidsRealTime { get; init; }
}

/// <summary>One worker: its two directions and what its loop did.</summary>
/// <param name="Index">0-based number, also of its TUN queue and socket.</param>
/// <param name="Egress">TUN to UDP.</param>
/// <param name="Ingress">UDP to TUN.</param>
/// <param name="Wakeups">Times the worker slept in poll(2) and was woken.</param>
/// <param name="Pauses">Times the worker paused after a busy burst.</param>
/// <param name="GsoFallbacks">Runs that were sent again as single datagrams after the kernel refused UDP_SEGMENT.</param>
/// <param name="IcmpSent">ICMP and ICMPv6 errors originated.</param>
/// <param name="IcmpSuppressed">Errors that were due but kept back by the rate limit.</param>
/// <param name="Trimmed">Packets whose trailing bytes beyond the IP length were cut off.</param>
/// <param name="SocketOverflow">Datagrams the kernel dropped at the socket: no room in the receive buffer, or a wrong outer checksum.</param>
public sealed record WorkerStatus(
    int Index, PathStatus Egress, PathStatus Ingress, long Wakeups, long Pauses, long GsoFallbacks,
    long IcmpSent, long IcmpSuppressed, long Trimmed, long SocketOverflow);

/// <summary>
/// One direction of one worker. A packet is one packet as it is on the wire: a super-packet counts as its segments, on both
/// sides, so that Packets = Forwarded + the sum of Drops, exactly.
/// </summary>
/// <param name="Packets">Packets received.</param>
/// <param name="Bytes">Inner bytes received (from the IP header on).</param>
/// <param name="Reads">Frames read from the TUN, or messages received from the socket.</param>
/// <param name="Forwarded">Packets handed to the other side.</param>
/// <param name="ForwardedBytes">Inner bytes handed to the other side.</param>
/// <param name="Writes">Messages sent, or frames written to the TUN.</param>
/// <param name="Drops">Packets dropped, by name of <see cref="DropReasons"/>; zero counts are left out.</param>
public sealed record PathStatus(
    long Packets, long Bytes, long Reads, long Forwarded, long ForwardedBytes, long Writes, IReadOnlyDictionary<string, long> Drops);
