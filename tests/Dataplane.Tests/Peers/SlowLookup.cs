using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Peers;

/// <summary>
/// The obvious twin of <see cref="PeerTable"/>: scans all peers from front to back for every question. Shares no code with the
/// table; also used by the benchmarks to prove results before timing.
/// </summary>
internal sealed class SlowLookup
{
    private readonly Route[] _routes;
    private readonly List<IPAddress> _endpoints = [];

    internal SlowLookup(IReadOnlyList<Peer> peers)
    {
        _routes = new Route[peers.Count];
        for (int i = 0; i < _routes.Length; i++)
        {
            IPNetwork subnet = peers[i].Subnet;
            UInt128 first = Number(subnet.BaseAddress);
            bool ipv6 = IsIpv6(subnet.BaseAddress);
            UInt128 last = first;
            for (int bit = 0; bit < (ipv6 ? 128 : 32) - subnet.PrefixLength; bit++) last |= UInt128.One << bit;
            _routes[i] = new(ipv6, first, last, subnet.PrefixLength);
        }
        var known = new HashSet<IPAddress>();
        foreach (Peer peer in peers)
        {
            if (known.Add(peer.PublicIP)) _endpoints.Add(peer.PublicIP);
        }
    }

    /// <summary>Different PublicIPs in the order of their first appearance.</summary>
    internal IReadOnlyList<IPAddress> Endpoints => _endpoints;

    internal int Find(bool ipv6, UInt128 address)
    {
        int found = -1, longest = -1;
        for (int i = 0; i < _routes.Length; i++)
        {
            ref readonly Route route = ref _routes[i];
            if (route.Length <= longest || route.Ipv6 != ipv6 || address < route.First || address > route.Last) continue;
            (found, longest) = (i, route.Length);
        }
        return found;
    }

    internal int FindEndpoint(IPAddress address)
    {
        for (int i = 0; i < _endpoints.Count; i++)
        {
            if (_endpoints[i].Equals(address)) return i;
        }
        return -1;
    }

    /// <summary>
    /// The whole address space cut at every first and after every last address of a subnet. Between two cuts no subnet begins or
    /// ends, so one scan gives the answer for the whole run: any number of lookups can be compared, 10^8 too.
    /// </summary>
    internal Run[] Runs(bool ipv6)
    {
        UInt128 top = ipv6 ? UInt128.MaxValue : uint.MaxValue;
        var cuts = new SortedSet<UInt128> { 0 };
        foreach (Route route in _routes)
        {
            if (route.Ipv6 != ipv6) continue;
            cuts.Add(route.First);
            if (route.Last != top) cuts.Add(route.Last + 1);
        }
        UInt128[] firsts = [.. cuts];
        var runs = new Run[firsts.Length];
        for (int i = 0; i < runs.Length; i++)
            runs[i] = new(firsts[i], i + 1 < firsts.Length ? firsts[i + 1] - 1 : top, Find(ipv6, firsts[i]));
        return runs;
    }

    internal static UInt128 Number(IPAddress address)
    {
        UInt128 number = 0;
        foreach (byte b in address.GetAddressBytes()) number = number << 8 | b;
        return number;
    }

    internal static IPAddress Address(bool ipv6, UInt128 number)
    {
        byte[] bytes = new byte[ipv6 ? 16 : 4];
        for (int i = bytes.Length - 1; i >= 0; i--, number >>= 8) bytes[i] = (byte)number;
        return new(bytes);
    }

    internal static bool IsIpv6(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    internal readonly record struct Run(UInt128 First, UInt128 Last, int Peer);

    // Fields: the scan is run hundreds of millions of times, and unoptimised builds do not inline properties.
    private readonly struct Route(bool ipv6, UInt128 first, UInt128 last, int length)
    {
        internal readonly bool Ipv6 = ipv6;
        internal readonly UInt128 First = first, Last = last;
        internal readonly int Length = length;
    }
}
