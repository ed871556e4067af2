using System.Globalization;
using System.Net;
using System.Text;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Files;

/// <summary>What subnet.env tells the programs that make bridges and pods: CNI plugins, mk-docker-opts.sh, scripts that source it.</summary>
/// <param name="Config">The cluster's networks. A family is written where both this and <paramref name="Subnet"/> have it.</param>
/// <param name="Subnet">This host's own subnet.</param>
/// <param name="Mtu">For pods, in bytes.</param>
/// <param name="IpMasq">Whether flanneld masquerades, so that nobody else must.</param>
internal sealed record SubnetFileContent(NetworkConfig Config, LeasedSubnet Subnet, int Mtu, bool IpMasq)
{
    /// <summary>The file, byte for byte as stock flanneld writes it (pkg/subnet/subnet.go).</summary>
    internal string Text
    {
        get
        {
            var text = new StringBuilder();
            Append(text, "FLANNEL_", Config.Ipv4, Subnet.Ipv4);
            Append(text, "FLANNEL_IPV6_", Config.Ipv6, Subnet.Ipv6);
            text.Append(CultureInfo.InvariantCulture, $"FLANNEL_MTU={Mtu}\n");
            text.Append(CultureInfo.InvariantCulture, $"FLANNEL_IPMASQ={(IpMasq ? "true" : "false")}\n");
            return text.ToString();
        }
    }

    private static void Append(StringBuilder text, string prefix, FamilyConfig? family, IPNetwork? subnet)
    {
        if (family is null || subnet is not { } own) return;
        text.Append(CultureInfo.InvariantCulture, $"{prefix}NETWORK={family.Network}\n");
        text.Append(CultureInfo.InvariantCulture, $"{prefix}SUBNET={FirstAddress(own)}/{own.PrefixLength}\n");
    }

    /// <summary>The bridge's address. The subnet's own one is that of the overlay device; no carry: a subnet ends in at least one zero bit.</summary>
    private static IPAddress FirstAddress(IPNetwork subnet)
    {
        byte[] bytes = subnet.BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new(bytes);
    }
}
