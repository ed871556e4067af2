namespace FlannelFast.Dataplane.Interop;

/// <summary>How many IPsec policies there are per direction; those of single sockets apart.</summary>
internal struct xfrmu_spdinfo
{
    internal uint incnt;
    internal uint outcnt;
    internal uint fwdcnt;
    internal uint inscnt;
    internal uint outscnt;
    internal uint fwdscnt;
}

/// <summary>What becomes of packets that no policy matches, per direction.</summary>
internal struct xfrm_userpolicy_default
{
    internal byte @in;
    internal byte fwd;
    internal byte @out;
}

internal static unsafe partial class Libc
{
    internal const ushort XFRM_MSG_NEWSPDINFO = 0x24;
    internal const ushort XFRM_MSG_GETSPDINFO = 0x25;
    internal const ushort XFRM_MSG_GETDEFAULT = 0x28;
    internal const ushort XFRMA_SPD_INFO = 1;
    internal const byte XFRM_USERPOLICY_BLOCK = 1;
    internal const uint XFRMNLGRP_POLICY = 4;
}
