using System.Net;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>What an engine is and which optimisations it may use. Immutable; peers are published separately.</summary>
public sealed record EngineOptions
{
    /// <summary>The wire format.</summary>
    public required EncapsulationKind Encapsulation { get; init; }

    /// <summary>The underlay address to bind and to send from, IPv4 or IPv6. All peers must be of the same family.</summary>
    public required IPAddress Local { get; init; }

    /// <summary>UDP port, 1 to 65535: bound here and the destination port at every peer.</summary>
    public required int Port { get; init; }

    /// <summary>VXLAN network identifier, 0 to 2^24 - 1.</summary>
    public int Vni { get; init; } = 1;

    /// <summary>Our VtepMAC: source of the inner Ethernet frames we send, and the only destination we accept. VXLAN only.</summary>
    public MacAddress Mac { get; init; }

    /// <summary>How far senders are checked.</summary>
    public SourceCheck SourceCheck { get; init; } = SourceCheck.Strict;

    /// <summary>
    /// With the udp encapsulation: IPv6 packets travel inside too, which flannel's own proxy takes for damaged IPv4. Only where no peer is one.
    /// VXLAN carries both in any case.
    /// </summary>
    public bool InnerIpv6 { get; init; }

    /// <summary>With the udp encapsulation: the outer source port must be <see cref="Port"/>, as flannel always sends.</summary>
    public bool CheckSourcePort { get; init; } = true;

    /// <summary>Ignore VXLAN reserved bits as RFC 7348 section 5 asks; by default they are refused as the kernel's device does.</summary>
    public bool IgnoreReservedBits { get; init; }

    /// <summary>TUN queues, UDP sockets and worker threads, 1 to 64.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>The largest <see cref="SourcePorts"/>.</summary>
    public const int MaxSourcePorts = 32;

    /// <summary>
    /// VXLAN only: UDP source ports per worker that inner flows are spread over, 1 to <see cref="MaxSourcePorts"/>. The first is <see cref="Port"/>, the others
    /// are the kernel's choice; fewer where the host has no more to give. The udp encapsulation has the one that peers check.
    /// </summary>
    public int SourcePorts { get; init; } = 8;

    /// <summary>Bytes of kernel receive and send buffer to ask for per socket; the kernel reports back twice the value.</summary>
    public int SocketBuffer { get; init; } = 4 << 20;

    /// <summary>Send equal-sized datagrams to one peer as one (UDP_SEGMENT), where the kernel can.</summary>
    public bool UdpSegment { get; init; } = true;

    /// <summary>Receive runs of datagrams as one (UDP_GRO), where the kernel can; without it there is no road with <see cref="ExpressRoad.Gro"/> either.</summary>
    public bool UdpGro { get; init; } = true;

    /// <summary>Exchange super-packets with the TUN device (virtio-net header, TSO, USO), where the kernel can.</summary>
    public bool TunOffloads { get; init; } = true;

    /// <summary>Merge received segments of one flow before writing them to the TUN. Needs <see cref="TunOffloads"/>.</summary>
    public bool Coalesce { get; init; } = true;

    /// <summary>Microseconds a worker pauses after a heavy burst so that the next one is larger, 0 to 1000; 0 switches it off.</summary>
    public int PauseMicroseconds { get; init; } = DefaultPauseMicroseconds;

    /// <summary>One TCP stream 1.19 times as fast as with 50, four the same, bulk traffic 25 % more round trip (docs/performance.md).</summary>
    internal const int DefaultPauseMicroseconds = 80;

    /// <summary>Schedule workers that are busy with bulk TCP in real time (SCHED_RR), where this process may.</summary>
    public bool RealTime { get; init; } = true;

    /// <summary>Whether a lane may be opened (<see cref="PacketEngine.UseExpressLane"/>); the engine itself only refuses with <see cref="ExpressLaneMode.Off"/>.</summary>
    public ExpressLaneMode ExpressLane { get; init; } = ExpressLaneMode.Auto;
}
