namespace FlannelFast.Dataplane.Tests.Interop;

/// <summary>The only ways out of the comparison with the C headers. Every entry must name something that exists.</summary>
internal static class AbiExceptions
{
    /// <summary>Not a mirror of anything in C; the reason stands beside it.</summary>
    internal static readonly Dictionary<string, string> NotFromC = new()
    {
        ["SysResult"] = "what a system call answered: our own type, never seen by the kernel",
        ["Libc.BpfAttrSize"] = "enough for the commands in use: the kernel takes less and more than its own size (bpf_check_uarg_tail_zero)",
        ["Libc.BPF_TCX_INGRESS"] = "an enumerator of Linux 6.6, which headers before lack",
        ["Libc.BPF_TCX_EGRESS"] = "an enumerator of Linux 6.6, which headers before lack",
        ["Libc.TCX_NEXT"] = "an enumerator of Linux 6.6, which headers before lack",
        ["Libc.TCX_DROP"] = "an enumerator of Linux 6.6, which headers before lack",
        ["Libc.BpfAttrLinkRelative"] = "link_create.tcx.relative_fd of Linux 6.6, which headers before lack",
        ["Libc.LibraryName"] = "the name the loader looks for, not a name in a header",
    };

    /// <summary>Values that have no name in C, with the C expression they stand for.</summary>
    internal static readonly Dictionary<string, string> Expressions = new()
    {
        ["Libc.CmsgHeaderSize"] = "CMSG_LEN(0)",
        ["Libc.CmsgSpaceOfOneWord"] = "CMSG_SPACE(8)",
        ["Libc.SkBuffLength"] = "offsetof(struct __sk_buff, len)",
        ["Libc.SkBuffPacketType"] = "offsetof(struct __sk_buff, pkt_type)",
        ["Libc.SkBuffVlanPresent"] = "offsetof(struct __sk_buff, vlan_present)",
        ["Libc.SkBuffProtocol"] = "offsetof(struct __sk_buff, protocol)",
        ["Libc.SkBuffData"] = "offsetof(struct __sk_buff, data)",
        ["Libc.SkBuffDataMeta"] = "offsetof(struct __sk_buff, data_meta)",
        ["Libc.XdpData"] = "offsetof(struct xdp_md, data)",
        ["Libc.XdpDataEnd"] = "offsetof(struct xdp_md, data_end)",
        ["Libc.XdpDataMeta"] = "offsetof(struct xdp_md, data_meta)",
        ["Libc.SkBuffGsoSize"] = "offsetof(struct __sk_buff, gso_size)",
        ["Libc.BpfAttrMapType"] = "offsetof(union bpf_attr, map_type)",
        ["Libc.BpfAttrKeySize"] = "offsetof(union bpf_attr, key_size)",
        ["Libc.BpfAttrValueSize"] = "offsetof(union bpf_attr, value_size)",
        ["Libc.BpfAttrMaxEntries"] = "offsetof(union bpf_attr, max_entries)",
        ["Libc.BpfAttrMapFlags"] = "offsetof(union bpf_attr, map_flags)",
        ["Libc.BpfAttrMapName"] = "offsetof(union bpf_attr, map_name)",
        ["Libc.BpfAttrMapFd"] = "offsetof(union bpf_attr, map_fd)",
        ["Libc.BpfAttrKey"] = "offsetof(union bpf_attr, key)",
        ["Libc.BpfAttrValue"] = "offsetof(union bpf_attr, value)",
        ["Libc.BpfAttrProgType"] = "offsetof(union bpf_attr, prog_type)",
        ["Libc.BpfAttrInsnCnt"] = "offsetof(union bpf_attr, insn_cnt)",
        ["Libc.BpfAttrInsns"] = "offsetof(union bpf_attr, insns)",
        ["Libc.BpfAttrLicense"] = "offsetof(union bpf_attr, license)",
        ["Libc.BpfAttrLogLevel"] = "offsetof(union bpf_attr, log_level)",
        ["Libc.BpfAttrLogSize"] = "offsetof(union bpf_attr, log_size)",
        ["Libc.BpfAttrLogBuf"] = "offsetof(union bpf_attr, log_buf)",
        ["Libc.BpfAttrProgName"] = "offsetof(union bpf_attr, prog_name)",
        ["Libc.BpfAttrLinkProgFd"] = "offsetof(union bpf_attr, link_create.prog_fd)",
        ["Libc.BpfAttrLinkTarget"] = "offsetof(union bpf_attr, link_create.target_ifindex)",
        ["Libc.BpfAttrProgFlags"] = "offsetof(union bpf_attr, prog_flags)",
        ["Libc.BpfAttrProgAttachType"] = "offsetof(union bpf_attr, expected_attach_type)",
        ["Libc.BpfAttrLinkFlags"] = "offsetof(union bpf_attr, link_create.flags)",
        ["Libc.BpfAttrLinkAttachType"] = "offsetof(union bpf_attr, link_create.attach_type)",
        ["Libc.DevNetTun"] = "sizeof(\"/dev/net/tun\")",
    };

    /// <summary>
    /// Constants that headers older than the given kernel lack, and that only those may lack. For preprocessor names only:
    /// an enumerator cannot be asked for with #if defined.
    /// </summary>
    internal static readonly Dictionary<string, Version> NewerThanHeaders = new()
    {
        ["Libc.BPF_F_BEFORE"] = new(6, 6),
        ["Libc.BPF_F_LINK"] = new(6, 6),
        ["Libc.TUN_F_USO4"] = new(6, 2),
        ["Libc.TUN_F_USO6"] = new(6, 2),
        ["Libc.VIRTIO_NET_HDR_GSO_UDP_L4"] = new(6, 2),
    };
}
