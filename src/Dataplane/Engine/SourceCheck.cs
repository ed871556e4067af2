namespace FlannelFast.Dataplane.Engine;

/// <summary>How far the sender of a packet is checked.</summary>
public enum SourceCheck
{
    /// <summary>The outer source must be a peer and the inner source must lie in that peer's subnets (ours, for egress). The default.</summary>
    Strict,

    /// <summary>The outer source must be a peer; inner sources are free (except our own subnet).</summary>
    Peer,

    /// <summary>Anybody may send, as stock flannel and the kernel's VXLAN device allow.</summary>
    Off,
}
