using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Tests.Fakes;

/// <summary>A host with a tunnel device ff0 (index 7) and an Ethernet card eth0 (index 2), which every peer is reached over unless a test says otherwise.</summary>
internal sealed class FakeExpressHost : IExpressHost
{
    internal Link? Tun { get; set; } = new() { Index = 7, Name = "ff0", HardwareType = 0xfffe };

    internal Link? Underlay { get; set; } = new() { Index = 2, Name = "eth0", Mtu = 1500, Flags = 1, HardwareType = 1 };

    internal bool HasPolicies { get; set; }

    internal bool PassesSuperPackets { get; set; }

    internal bool MergesArrivals { get; set; }

    internal long Strays { get; set; }

    /// <summary>Answers every question with this instead.</summary>
    internal IOException? Refusal { get; set; }

    internal Func<IPAddress, int> LinkTo { get; set; } = _ => 2;

    /// <summary>Destinations asked for, in their order.</summary>
    internal List<IPAddress> Asked { get; } = [];

    /// <summary>How often the host was asked anything.</summary>
    internal int Questions { get; private set; }

    public Link? FindLink(string name) => Answer(name == Tun?.Name ? Tun : null);

    public Link? FindLinkByAddress(IPAddress address) => Answer(Underlay);

    public bool HasIpsecPolicies() => Answer(HasPolicies);

    public bool PassesTunnelSuperPackets(Link link) => Answer(PassesSuperPackets);

    public bool MergesArriving(Link link) => Answer(MergesArrivals);

    public long CountStrays() => Answer(Strays);

    public int[] FindLinks(IReadOnlyList<IPAddress> destinations)
    {
        Asked.AddRange(destinations);
        return Answer(destinations.Select(LinkTo).ToArray());
    }

    private T Answer<T>(T answer)
    {
        Questions++;
        return Refusal is null ? answer : throw Refusal;
    }
}
