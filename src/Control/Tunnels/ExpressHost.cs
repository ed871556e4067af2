using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Control.Tunnels;

/// <summary>The real host. Opens what it needs beside <paramref name="netlink"/> when it is first asked, on the thread that asks.</summary>
/// <param name="netlink">Host access, not owned.</param>
/// <param name="onChange">Told of changes to IPsec policies, on a thread of their own, from the first question for them on.</param>
internal sealed class ExpressHost(NetlinkClient netlink, Action<NetworkChange> onChange) : IExpressHost, IDisposable
{
    private IpsecPolicies? _ipsec;
    private VxlanDriverPort? _port;

    public Link? FindLink(string name) => netlink.Links.Find(name);

    public Link? FindLinkByAddress(IPAddress address) => netlink.FindLinkByAddress(address);

    public bool HasIpsecPolicies() => (_ipsec ??= new(onChange)).Exist();

    public bool PassesTunnelSuperPackets(Link link) => LinkFeatures.IsActive(link, LinkFeatures.UdpTunnelSegmentation);

    public bool MergesArriving(Link link) => LinkFeatures.IsActive(link, LinkFeatures.ReceiveOffload);

    public long CountStrays() => _port?.ReadStrays() ?? 0;

    /// <summary>The kernel itself cuts the runs of datagrams that are sent from an address, in the system call of who sends them. False where nobody has the address.</summary>
    internal bool CutsRuns(IPAddress local) => FindLinkByAddress(local) is { } link && !LinkFeatures.IsActive(link, LinkFeatures.UdpSegmentation);

    /// <summary>For <see cref="PacketEngine.VxlanDriver"/>.</summary>
    internal IDisposable LendPort(EngineOptions options) => _port = VxlanDriverPort.Open(netlink, options);

    public int[] FindLinks(IReadOnlyList<IPAddress> destinations)
    {
        Route?[] routes = netlink.Routes.Find(destinations);
        int[] links = new int[routes.Length];
        for (int i = 0; i < links.Length; i++)
        {
            if (routes[i] is { Type: RouteType.Unicast } route) links[i] = route.LinkIndex;
        }
        return links;
    }

    public void Dispose() => _ipsec?.Dispose();
}
