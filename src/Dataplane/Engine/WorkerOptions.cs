namespace FlannelFast.Dataplane.Engine;

/// <summary>What a worker's loops need to know, settled before it starts.</summary>
internal sealed record WorkerOptions
{
    /// <summary>UDP port of every peer.</summary>
    internal required int DestinationPort { get; init; }

    /// <summary>Outer addresses are IPv6.</summary>
    internal required bool UnderlayIsIpv6 { get; init; }

    /// <summary>How far senders are checked.</summary>
    internal SourceCheck SourceCheck { get; init; } = SourceCheck.Strict;

    /// <summary>Refuse datagrams from another port than <see cref="DestinationPort"/>, where the wire format fixes it.</summary>
    internal bool CheckSourcePort { get; init; } = true;

    /// <summary>Source ports that flows are spread over where the wire format leaves them free, 1 to <see cref="EngineOptions.MaxSourcePorts"/>.</summary>
    internal int SourcePorts { get; init; } = 1;

    /// <summary>What the spreading starts from; random, so that nobody outside knows the result.</summary>
    internal Guid FlowSeed { get; init; } = Guid.NewGuid();

    /// <summary>TUN frames start with a virtio-net header.</summary>
    internal bool VnetHeader { get; init; }

    /// <summary>Merge TCP segments towards the TUN.</summary>
    internal bool CoalesceTcp { get; init; }

    /// <summary>Merge UDP datagrams towards the TUN.</summary>
    internal bool CoalesceUdp { get; init; }

    /// <summary>Send with UDP_SEGMENT.</summary>
    internal bool UdpSegment { get; init; }

    /// <summary>Microseconds of pause after a heavy burst; 0 never.</summary>
    internal int PauseMicroseconds { get; init; }

    /// <summary>Frames and messages in a burst from which on it is heavy.</summary>
    internal int HeavyFrames { get; init; } = 8;

    /// <summary>About one super-packet.</summary>
    internal const int BulkBytes = 60_000;

    /// <summary>Inner bytes in a burst from which on it is heavy.</summary>
    internal int HeavyBytes { get; init; } = BulkBytes;

    /// <summary>Of the notes of how long segments are (<see cref="Express.SegmentNote"/>); 0 where none is ever written.</summary>
    internal uint NoteKey { get; init; }

    /// <summary>Run in real time while busy, where the host permits it.</summary>
    internal bool RealTime { get; init; }

    /// <summary>The source of ICMP errors that travel to peers: the device's own address, host order; 0 where there is none.</summary>
    internal uint DeviceAddress { get; init; }
}
