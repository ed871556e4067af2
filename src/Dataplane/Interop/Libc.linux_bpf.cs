namespace FlannelFast.Dataplane.Interop;

/// <summary>Values of linux/bpf.h for the express lane. Of <c>union bpf_attr</c> only offsets stand here: its members have no names of their own in C.</summary>
internal static unsafe partial class Libc
{
    internal const int BPF_MAP_CREATE = 0;
    internal const int BPF_MAP_LOOKUP_ELEM = 1;
    internal const int BPF_MAP_UPDATE_ELEM = 2;
    internal const int BPF_MAP_DELETE_ELEM = 3;
    internal const int BPF_PROG_LOAD = 5;
    internal const int BPF_LINK_CREATE = 28;

    internal const uint BPF_MAP_TYPE_HASH = 1;
    internal const uint BPF_MAP_TYPE_ARRAY = 2;
    internal const uint BPF_MAP_TYPE_LRU_HASH = 9;
    internal const uint BPF_MAP_TYPE_LPM_TRIE = 11;
    internal const uint BPF_F_NO_PREALLOC = 1;

    internal const uint BPF_PROG_TYPE_SCHED_CLS = 3;
    internal const uint BPF_PROG_TYPE_XDP = 6;

    internal const uint BPF_XDP = 37;

    /// <summary>The program stands frames of several buffers (Linux 5.18).</summary>
    internal const uint BPF_F_XDP_HAS_FRAGS = 32;

    internal const int XDP_DROP = 1;
    internal const int XDP_PASS = 2;

    /// <summary>Linux 6.6; an enumerator that older headers lack.</summary>
    internal const uint BPF_TCX_INGRESS = 46;

    /// <summary>Linux 6.6; an enumerator that older headers lack.</summary>
    internal const uint BPF_TCX_EGRESS = 47;

    /// <summary>Linux 6.6, enum tcx_action_base: the next program, or the stack.</summary>
    internal const int TCX_NEXT = -1;

    /// <summary>Linux 6.6, enum tcx_action_base.</summary>
    internal const int TCX_DROP = 2;

    /// <summary>Linux 6.6; the place of the program before another one, which <see cref="BPF_F_LINK"/> says is named by its link.</summary>
    internal const uint BPF_F_BEFORE = 8;

    /// <summary>Linux 6.6.</summary>
    internal const uint BPF_F_LINK = 1 << 13;

    internal const int BPF_ADJ_ROOM_MAC = 1;
    internal const ulong BPF_F_ADJ_ROOM_FIXED_GSO = 1;
    internal const ulong BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 = 2;
    internal const ulong BPF_F_ADJ_ROOM_ENCAP_L4_UDP = 16;
    internal const ulong BPF_F_ADJ_ROOM_ENCAP_L2_ETH = 64;
    internal const int BPF_ADJ_ROOM_ENCAP_L2_SHIFT = 56;
    internal const int BPF_F_INGRESS = 1;
    internal const int BPF_F_CURRENT_NETNS = -1;

    internal const int BPF_FUNC_map_lookup_elem = 1;
    internal const int BPF_FUNC_map_update_elem = 2;
    internal const int BPF_FUNC_get_prandom_u32 = 7;
    internal const int BPF_FUNC_get_smp_processor_id = 8;
    internal const int BPF_FUNC_skb_store_bytes = 9;
    internal const int BPF_FUNC_redirect = 23;
    internal const int BPF_FUNC_skb_load_bytes = 26;
    internal const int BPF_FUNC_get_hash_recalc = 34;
    internal const int BPF_FUNC_skb_change_head = 43;
    internal const int BPF_FUNC_xdp_adjust_head = 44;
    internal const int BPF_FUNC_skb_adjust_room = 50;
    internal const int BPF_FUNC_xdp_adjust_meta = 54;
    internal const int BPF_FUNC_sk_lookup_udp = 85;
    internal const int BPF_FUNC_sk_release = 86;
    internal const int BPF_FUNC_sk_assign = 124;
    internal const int BPF_FUNC_redirect_neigh = 152;
    internal const int BPF_FUNC_xdp_get_buff_len = 188;

    internal const byte BPF_LD = 0x00;
    internal const byte BPF_LDX = 0x01;
    internal const byte BPF_ST = 0x02;
    internal const byte BPF_STX = 0x03;
    internal const byte BPF_JMP = 0x05;
    internal const byte BPF_JMP32 = 0x06;
    internal const byte BPF_ALU = 0x04;
    internal const byte BPF_ALU64 = 0x07;
    internal const byte BPF_IMM = 0x00;
    internal const byte BPF_MEM = 0x60;
    internal const byte BPF_ATOMIC = 0xc0;
    internal const byte BPF_X = 0x08;
    internal const byte BPF_W = 0x00;
    internal const byte BPF_H = 0x08;
    internal const byte BPF_B = 0x10;
    internal const byte BPF_DW = 0x18;
    internal const byte BPF_ADD = 0x00;
    internal const byte BPF_SUB = 0x10;
    internal const byte BPF_DIV = 0x30;
    internal const byte BPF_OR = 0x40;
    internal const byte BPF_AND = 0x50;
    internal const byte BPF_LSH = 0x60;
    internal const byte BPF_RSH = 0x70;
    internal const byte BPF_XOR = 0xa0;
    internal const byte BPF_MOV = 0xb0;
    internal const byte BPF_END = 0xd0;
    internal const byte BPF_TO_BE = 0x08;
    internal const byte BPF_JA = 0x00;
    internal const byte BPF_JEQ = 0x10;
    internal const byte BPF_JGT = 0x20;
    internal const byte BPF_JNE = 0x50;
    internal const byte BPF_JLT = 0xa0;
    internal const byte BPF_JLE = 0xb0;
    internal const byte BPF_CALL = 0x80;
    internal const byte BPF_EXIT = 0x90;
    internal const byte BPF_PSEUDO_MAP_FD = 1;

    internal const short SkBuffLength = 0;
    internal const short SkBuffPacketType = 4;
    internal const short SkBuffProtocol = 16;
    internal const short SkBuffVlanPresent = 20;
    internal const short SkBuffData = 76;
    internal const short SkBuffDataMeta = 140;
    internal const short SkBuffGsoSize = 176;
    internal const short XdpData = 0;
    internal const short XdpDataEnd = 4;
    internal const short XdpDataMeta = 8;

    /// <summary>Enough for the commands in use; the kernel takes less and more than its own size.</summary>
    internal const int BpfAttrSize = 128;
    internal const int BpfAttrMapType = 0;
    internal const int BpfAttrKeySize = 4;
    internal const int BpfAttrValueSize = 8;
    internal const int BpfAttrMaxEntries = 12;
    internal const int BpfAttrMapFlags = 16;
    internal const int BpfAttrMapName = 28;
    internal const int BpfAttrMapFd = 0;
    internal const int BpfAttrKey = 8;
    internal const int BpfAttrValue = 16;
    internal const int BpfAttrProgType = 0;
    internal const int BpfAttrInsnCnt = 4;
    internal const int BpfAttrInsns = 8;
    internal const int BpfAttrLicense = 16;
    internal const int BpfAttrLogLevel = 24;
    internal const int BpfAttrLogSize = 28;
    internal const int BpfAttrLogBuf = 32;
    internal const int BpfAttrProgFlags = 44;
    internal const int BpfAttrProgName = 48;
    internal const int BpfAttrProgAttachType = 68;
    internal const int BpfAttrLinkProgFd = 0;
    internal const int BpfAttrLinkTarget = 4;
    internal const int BpfAttrLinkAttachType = 8;
    internal const int BpfAttrLinkFlags = 12;

    /// <summary>link_create.tcx.relative_fd of Linux 6.6, which older headers lack.</summary>
    internal const int BpfAttrLinkRelative = 16;
}
