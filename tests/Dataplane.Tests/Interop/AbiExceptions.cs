namespace FlannelFast.Dataplane.Tests.Interop;

/// <summary>The only ways out of the comparison with the C headers. Every entry must name something that exists.</summary>
internal static class AbiExceptions
{
    /// <summary>Not a mirror of anything in C; the reason stands beside it.</summary>
    internal static readonly Dictionary<string, string> NotFromC = new()
    {
        ["SysResult"] = "what a system call answered: our own type, never seen by the kernel",
        ["Libc.LibraryName"] = "the name the loader looks for, not a name in a header",
    };

    /// <summary>Values that have no name in C, with the C expression they stand for.</summary>
    internal static readonly Dictionary<string, string> Expressions = new()
    {
        ["Libc.CmsgHeaderSize"] = "CMSG_LEN(0)",
        ["Libc.CmsgSpaceOfOneWord"] = "CMSG_SPACE(8)",
        ["Libc.DevNetTun"] = "sizeof(\"/dev/net/tun\")",
    };

    /// <summary>
    /// Constants that headers older than the given kernel lack, and that only those may lack. For preprocessor names only:
    /// an enumerator cannot be asked for with #if defined.
    /// </summary>
    internal static readonly Dictionary<string, Version> NewerThanHeaders = new()
    {
        ["Libc.TUN_F_USO4"] = new(6, 2),
        ["Libc.TUN_F_USO6"] = new(6, 2),
        ["Libc.VIRTIO_NET_HDR_GSO_UDP_L4"] = new(6, 2),
    };
}
