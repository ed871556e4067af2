namespace FlannelFast.Dataplane.Express;

/// <summary>Where the express lane runs: from the TUN device to one underlay interface and back. The caller has looked these up on the host.</summary>
public sealed record ExpressRoad
{
    /// <summary>Interface index of the engine's TUN device.</summary>
    public required int TunIndex { get; init; }

    /// <summary>Index of the Ethernet interface that owns the engine's local IPv4 address; of loopback or a device without Ethernet headers there is no lane.</summary>
    public required int UnderlayIndex { get; init; }

    /// <summary>MTU of that interface in bytes. Packets that would not fit with their outer headers stay with the engine.</summary>
    public required int UnderlayMtu { get; init; }

    /// <summary>
    /// TCP takes the lane, too. Only worth it where the underlay passes tunnel super-packets on whole, or with <see cref="Gro"/> or <see cref="Xdp"/>: otherwise cut ones are merged
    /// again by no receiver (their outer checksum is zero, which UDP_GRO wants not to be), and the engine is faster.
    /// </summary>
    public required bool Tcp { get; init; }

    /// <summary>
    /// VXLAN only: the tunnel's port is lent to the kernel's VXLAN driver (<see cref="Engine.PacketEngine.VxlanDriver"/>), so that GRO merges arriving TCP before the lane takes it.
    /// </summary>
    public bool Gro { get; init; }

    /// <summary>
    /// A program in the driver of the underlay interface (native XDP) takes arriving TCP out of its outer headers before GRO, which then merges it. The interface must have no such
    /// program yet; what veth hands to one it copies first, whoever it is for.
    /// </summary>
    public bool Xdp { get; init; }
}
