namespace FlannelFast.Dataplane.Engine;

/// <summary>The wire formats the engine speaks.</summary>
public enum EncapsulationKind
{
    /// <summary>flannel's udp backend: the bare inner IPv4 packet as UDP payload, port 8285.</summary>
    Udp,

    /// <summary>RFC 7348 VXLAN with inner Ethernet: IPv4 and IPv6 inside, port 8472 as Linux and flannel use it.</summary>
    Vxlan,
}
