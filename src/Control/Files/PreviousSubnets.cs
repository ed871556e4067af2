using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Files;

/// <summary>What an earlier flanneld, stock or ours, left in subnet.env: to ask for the same subnet again, and to clean up what was made for it.</summary>
internal sealed record PreviousSubnets
{
    /// <summary>Nothing is known.</summary>
    internal static PreviousSubnets None { get; } = new();

    /// <summary>FLANNEL_NETWORK: one, or several where stock 0.21 or 0.22 wrote it.</summary>
    internal IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    /// <summary>FLANNEL_SUBNET without host bits; null if it is not there or no IPv4 CIDR.</summary>
    internal IPNetwork? Subnet { get; init; }

    /// <summary>FLANNEL_IPV6_NETWORK.</summary>
    internal IReadOnlyList<IPNetwork> Ipv6Networks { get; init; } = [];

    /// <summary>FLANNEL_IPV6_SUBNET, likewise.</summary>
    internal IPNetwork? Ipv6Subnet { get; init; }

    /// <summary>The subnet to ask for again; null if none is known.</summary>
    internal LeasedSubnet? Lease => Subnet is null && Ipv6Subnet is null ? null : new(Subnet, Ipv6Subnet);

    /// <summary>Takes what can be used of a file's text.</summary>
    internal static PreviousSubnets Parse(string text)
    {
        Dictionary<string, string> variables = EnvironmentFile.Parse(text);
        return new()
        {
            Networks = NetworksOf("FLANNEL_NETWORK", AddressFamily.InterNetwork),
            Subnet = Single("FLANNEL_SUBNET", AddressFamily.InterNetwork),
            Ipv6Networks = NetworksOf("FLANNEL_IPV6_NETWORK", AddressFamily.InterNetworkV6),
            Ipv6Subnet = Single("FLANNEL_IPV6_SUBNET", AddressFamily.InterNetworkV6),
        };

        IPNetwork? Single(string name, AddressFamily family) => NetworksOf(name, family) is [var network] ? network : null;

        IPNetwork[] NetworksOf(string name, AddressFamily family)
        {
            if (!variables.TryGetValue(name, out string? value)) return [];
            var networks = new List<IPNetwork>();
            foreach (string part in value.Split(',', StringSplitOptions.TrimEntries))
            {
                if (TryParse(part, family, out IPNetwork network)) networks.Add(network);
            }
            return [.. networks];
        }
    }

    private static bool TryParse(string text, AddressFamily family, out IPNetwork network)
    {
        network = default;
        int slash = text.IndexOf('/');
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? address) || address.AddressFamily != family) return false;
        // IPAddress takes "10.5" for 10.0.0.5.
        if (family == AddressFamily.InterNetwork && text.AsSpan(0, slash).Count('.') != 3) return false;
        byte[] bytes = address.GetAddressBytes();
        if (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, null, out int length) || length > 8 * bytes.Length) return false;
        for (int bit = length; bit < 8 * bytes.Length; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        network = new(new IPAddress(bytes), length);
        return true;
    }
}
