namespace FlannelFast.Control.Backends;

/// <summary>Who carries VXLAN packets on this host. Both speak the same wire format and can be mixed in a cluster.</summary>
internal enum VxlanDataplane
{
    /// <summary>The kernel's device where one can be made, else the packet engine.</summary>
    Auto,

    /// <summary>The packet engine, with a TUN device named flannel.VNI.</summary>
    Userspace,

    /// <summary>The kernel's vxlan device.</summary>
    Kernel,
}
