namespace FlannelFast.Lab.Contenders;

/// <summary>What carries the packets.</summary>
internal enum ContenderKind
{
    /// <summary>No overlay: the underlay itself, behind pods plain routes.</summary>
    Raw,

    /// <summary>The kernel's VXLAN device, configured as flannel's vxlan backend does.</summary>
    KernelVxlan,

    /// <summary>The system calls of a tunnel in user space and nothing else: the ceiling of all of them. Over plain veth only.</summary>
    Bare,

    /// <summary>This program, flannel's udp wire format.</summary>
    Udp,

    /// <summary>This program, VXLAN.</summary>
    Vxlan,

    /// <summary>Any program, by a command line.</summary>
    Exec,
}
