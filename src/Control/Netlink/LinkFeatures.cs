using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// The offloads of links, which ethtool(8) calls features. By ioctl, which every kernel has: the netlink form is new in Linux 5.6, and neither
/// tells reliably when one changes. Those of the network namespace of the thread that asks; any thread.
/// </summary>
internal static unsafe class LinkFeatures
{
    /// <summary>A UDP tunnel's super-packets leave whole and are cut, if at all, by the device.</summary>
    internal const string UdpTunnelSegmentation = "tx-udp_tnl-segmentation";

    /// <summary>Runs of datagrams (UDP_SEGMENT) leave whole and are cut, if at all, by the device.</summary>
    internal const string UdpSegmentation = "tx-udp-segmentation";

    /// <summary>What arrives is merged where it can be (GRO).</summary>
    internal const string ReceiveOffload = "rx-gro";

    /// <summary>Whether a feature is switched on now; false where this kernel knows none of that name.</summary>
    /// <exception cref="ErrnoException">The kernel refused, for example because the link is gone (ENODEV).</exception>
    internal static bool IsActive(Link link, string feature)
    {
        // Not kept: questions are rare, and where descriptors are scarce the control socket must have some.
        using var socket = new NativeFd(
            SysResult.From(Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0)).ThrowOnError("cannot open a socket to ask for the features of interfaces"));
        int index = IndexOf(socket, link, feature, out int count);
        if (index < 0) return false;
        int blocks = (count + 31) / 32;
        byte[] request = new byte[sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block)];
        MemoryMarshal.Write(request, new ethtool_gfeatures { cmd = Libc.ETHTOOL_GFEATURES, size = (uint)blocks });
        Ask(socket, link, request);
        Span<ethtool_get_features_block> found = MemoryMarshal.Cast<byte, ethtool_get_features_block>(request.AsSpan(sizeof(ethtool_gfeatures)));
        return (found[index / 32].active & 1u << (index % 32)) != 0;
    }

    /// <summary>The place of a feature: the kernel numbers them anew in every version, only the names stay.</summary>
    private static int IndexOf(NativeFd socket, Link link, string feature, out int count)
    {
        byte[] size = new byte[sizeof(ethtool_sset_info) + sizeof(uint)];
        MemoryMarshal.Write(size, new ethtool_sset_info { cmd = Libc.ETHTOOL_GSSET_INFO, sset_mask = 1ul << Libc.ETH_SS_FEATURES });
        Ask(socket, link, size);
        // The kernel clears the bit of a set that is not there.
        bool isKnown = MemoryMarshal.Read<ethtool_sset_info>(size).sset_mask != 0;
        count = isKnown ? MemoryMarshal.Read<int>(size.AsSpan(sizeof(ethtool_sset_info))) : 0;
        byte[] request = new byte[sizeof(ethtool_gstrings) + count * Libc.ETH_GSTRING_LEN];
        MemoryMarshal.Write(request, new ethtool_gstrings { cmd = Libc.ETHTOOL_GSTRINGS, string_set = Libc.ETH_SS_FEATURES, len = (uint)count });
        if (isKnown) Ask(socket, link, request);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> name = request.AsSpan(sizeof(ethtool_gstrings) + i * Libc.ETH_GSTRING_LEN, Libc.ETH_GSTRING_LEN);
            int end = name.IndexOf((byte)0);
            if (Encoding.ASCII.GetString(end < 0 ? name : name[..end]) == feature) return i;
        }
        return -1;
    }

    /// <summary>Has the kernel answer into the request.</summary>
    private static void Ask(NativeFd socket, Link link, byte[] request)
    {
        fixed (byte* data = request)
        {
            ifreq question = new() { ifr_data = data };
            Encoding.UTF8.GetBytes(link.Name, new Span<byte>(question.ifr_name, Libc.IFNAMSIZ - 1));
            SysResult.From(Libc.ioctl(socket.Number, Libc.SIOCETHTOOL, &question)).ThrowOnError($"cannot read the features of {link.Name}");
        }
    }
}
