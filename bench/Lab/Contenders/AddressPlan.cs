using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace FlannelFast.Lab.Contenders;

/// <summary>
/// Addresses and ports of one contender, so that all can be up at once: number i has a sixteenth of 10.0.0.0/8 from 10.(16 i).0.0
/// on. There its network is a /16 with a /24 for each node, as flannel deals them out, or, if it is wide, all of the /12 with a
/// /29 for each, which makes room for 100,000 peers without leaving the private addresses (RFC 1918).
/// </summary>
internal sealed class AddressPlan(int index, bool isWide)
{
    /// <summary>As many as 10.0.0.0/8 has sixteenths.</summary>
    internal const int MaxContenders = 16;

    /// <summary>How many subnets a wide network has beside those of the nodes.</summary>
    internal const int MaxPeers = 100_000;

    private uint Base => 10u << 24 | (uint)index << 20;

    /// <summary>Prefix length of every subnet in the network.</summary>
    internal int SubnetLength => isWide ? 29 : 24;

    /// <summary>The contender's network.</summary>
    internal string Network => $"{At(0, 0)}/{(isWide ? 12 : 16)}";

    /// <summary>The network without its length.</summary>
    internal string NetworkAddress => At(0, 0).ToString();

    /// <summary>Subnet of a node, "10.0.1.0/24".</summary>
    internal string Subnet(int node) => $"{At(node, 0)}/{SubnetLength}";

    /// <summary>First address of a node's subnet, which flannel gives to the overlay's device.</summary>
    internal IPAddress DeviceAddress(int node) => At(node, 0);

    /// <summary>The bridge's address on a node.</summary>
    internal IPAddress BridgeAddress(int node) => At(node, 1);

    /// <summary>The pod's address on a node.</summary>
    internal IPAddress PodAddress(int node) => At(node, 2);

    /// <summary>Subnet of one of the peers that are configured but never spoken to, numbered from 0; behind those of the nodes.</summary>
    internal string SilentSubnet(int number) => $"{At(number + 256, 0)}/{SubnetLength}";

    private IPAddress At(int subnet, uint host)
    {
        Span<byte> address = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(address, Base + ((uint)subnet << (32 - SubnetLength)) + host);
        return new(address);
    }

    /// <summary>What the overlay's device of a silent peer would have.</summary>
    internal IPAddress SilentDeviceAddress(int number) => At(number + 256, 0);

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
