namespace FlannelFast.Dataplane.Interop;

/// <summary>Behind it stands one length (u32) for each set asked for that the device has.</summary>
internal struct ethtool_sset_info
{
    internal uint cmd;
    internal uint reserved;
    internal ulong sset_mask;
}

/// <summary>Behind it stand <see cref="len"/> names of <see cref="Libc.ETH_GSTRING_LEN"/> bytes.</summary>
internal struct ethtool_gstrings
{
    internal uint cmd;
    internal uint string_set;
    internal uint len;
}

/// <summary>Behind it stand <see cref="size"/> blocks.</summary>
internal struct ethtool_gfeatures
{
    internal uint cmd;
    internal uint size;
}

/// <summary>32 features, one bit each.</summary>
internal struct ethtool_get_features_block
{
    internal uint available;
    internal uint requested;
    internal uint active;
    internal uint never_changed;
}

internal static unsafe partial class Libc
{
    internal const uint ETHTOOL_GSTRINGS = 0x1b;
    internal const uint ETHTOOL_GSSET_INFO = 0x37;
    internal const uint ETHTOOL_GFEATURES = 0x3a;
    internal const int ETH_SS_FEATURES = 4;
    internal const int ETH_GSTRING_LEN = 32;
}
