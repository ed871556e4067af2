using System.Globalization;
using System.Net;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// Addresses and ports of one contender, so that all can be up at once: number i has the network (10 + 2 i).0.0.0/16, and node
/// n of it the subnet (10 + 2 i).0.n.0/24, as flannel deals them out.
/// </summary>
internal sealed class AddressPlan(int index, bool isWide)
{
    /// <summary>More would run into networks that are no longer unicast addresses.</summary>
    internal const int MaxContenders = 16;

    /// <summary>How many subnets a wide network has beside those of the nodes.</summary>
    internal const int MaxPeers = 100_000;

    private int First => 10 + (2 * index);

    /// <summary>The contender's network; /7 if it is wide, which is what 100,000 subnets of 256 addresses take.</summary>
    internal string Network => Format($"{First}.0.0.0/{(isWide ? 7 : 16)}");

    /// <summary>The network without its length.</summary>
    internal string NetworkAddress => Format($"{First}.0.0.0");

    /// <summary>Subnet of a node, "10.0.1.0/24".</summary>
    internal string Subnet(int node) => Format($"{First}.0.{node}.0/24");

    /// <summary>First address of a node's subnet, which flannel gives to the overlay's device.</summary>
    internal IPAddress DeviceAddress(int node) => IPAddress.Parse(Format($"{First}.0.{node}.0"));

    /// <summary>The bridge's address on a node.</summary>
    internal IPAddress BridgeAddress(int node) => IPAddress.Parse(Format($"{First}.0.{node}.1"));

    /// <summary>The pod's address on a node.</summary>
    internal IPAddress PodAddress(int node) => IPAddress.Parse(Format($"{First}.0.{node}.2"));

    /// <summary>Subnet of one of the peers that are configured but never spoken to, numbered from 0.</summary>
    internal string SilentSubnet(int number)
    {
        int third = number + 256;
        return Format($"{First + (third >> 16)}.{(third >> 8) & 255}.{third & 255}.0/24");
    }

    /// <summary>Underlay address of a silent peer: 198.18.0.0/15 is set aside for benchmarks (RFC 2544).</summary>
    internal static string SilentAddress(int number) => Format($"198.{18 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}");

    /// <summary>VtepMAC of a silent peer.</summary>
    internal static string SilentMac(int number) => Format($"02:fe:00:{number >> 16:x2}:{(number >> 8) & 255:x2}:{number & 255:x2}");

    /// <summary>VtepMAC of a node.</summary>
    internal string Mac(int node) => Format($"02:fa:00:00:{index:x2}:{node:x2}");

    /// <summary>Name of the contender's device on every node.</summary>
    internal string Device => Format($"overlay{index}");

    /// <summary>UDP port, of its own so that two of a kind can be compared.</summary>
    internal int Port(int kindsDefault) => kindsDefault + index;

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
