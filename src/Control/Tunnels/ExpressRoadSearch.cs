using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;

namespace FlannelFast.Control.Tunnels;

/// <summary>What <see cref="Find"/> found: roads, or why there is none.</summary>
/// <param name="Roads">The best one first; each is for when the kernel refuses what those before it want. Empty where there is a <paramref name="Reason"/>.</param>
/// <param name="Underlay">The interface of the roads.</param>
/// <param name="Reason">One clause, "the underlay is IPv6"; null where there are roads.</param>
internal sealed record ExpressRoadSearch(IReadOnlyList<ExpressRoad> Roads, Link? Underlay, string? Reason)
{
    /// <summary>Interfaces of this kind end on the same machine: what one end hands over whole, the other gets whole.</summary>
    private const string KindOfOneMachine = "veth";

    /// <summary>The best road; null where there is none.</summary>
    internal ExpressRoad? Best => Roads.Count > 0 ? Roads[0] : null;

    /// <summary>The road that wants nothing but the lane itself; null where there is none.</summary>
    internal ExpressRoad? Plain => Roads.Count > 0 ? Roads[^1] : null;

    /// <summary>Looks for the road of a tunnel. The cheapest obstacles come first; with the lane switched off the host is not asked at all.</summary>
    internal static ExpressRoadSearch Find(TunnelConfig config, IExpressHost host)
    {
        EngineOptions engine = config.Engine;
        if (engine.ExpressLane == ExpressLaneMode.Off) return Closed("switched off by --express-lane off");
        if (ExpressLane.WhyImpossible(engine, config.Networks) is { } reason) return Closed(reason);
        try
        {
            return Search(config, host, engine);
        }
        catch (IOException refused)
        {
            return Closed(refused.Message);
        }
    }

    private static ExpressRoadSearch Search(TunnelConfig config, IExpressHost host, EngineOptions engine)
    {
        if (host.FindLink(config.Device) is not { } tun) return Closed($"{config.Device} is missing");
        // A capture would see nothing of the packets that pass it by.
        if (tun.Promiscuity > 0) return Closed($"{config.Device} is being watched (promiscuous, as by tcpdump)");
        if (host.FindLinkByAddress(engine.Local) is not { } underlay) return Closed($"no interface owns {engine.Local}");
        if (underlay.IsLoopback) return Closed($"{underlay.Name} is the loopback interface");
        if (!underlay.IsEthernet) return Closed($"{underlay.Name} is not Ethernet");
        // The lane hands packets over behind the place where the kernel would encrypt them (net/xfrm/xfrm_policy.c, xfrm_lookup_with_ifid).
        if (host.HasIpsecPolicies()) return Closed("this host has IPsec policies");
        bool always = engine.ExpressLane == ExpressLaneMode.On;
        bool arrivesWhole = underlay.Kind == KindOfOneMachine && host.PassesTunnelSuperPackets(underlay);
        var plain = new ExpressRoad { TunIndex = tun.Index, UnderlayIndex = underlay.Index, UnderlayMtu = underlay.Mtu, Tcp = always || arrivesWhole };
        var roads = new List<ExpressRoad>();
        // Where TCP arrives cut, something must merge it before the lane: the VXLAN driver's part of GRO, or a program in the driver of the interface.
        if (!arrivesWhole && MayLendPort(engine) && host.MergesArriving(underlay)) roads.Add(plain with { Tcp = true, Gro = true });
        // A capture would see packets there that were never on the wire.
        if (!arrivesWhole && always && underlay.Promiscuity == 0) roads.Add(plain with { Xdp = true });
        return new([.. roads, plain], underlay, null);
    }

    /// <summary>With one source port all is to leave from the tunnel's, which a lent one cannot.</summary>
    private static bool MayLendPort(EngineOptions engine) => engine is { Encapsulation: EncapsulationKind.Vxlan, UdpGro: true, SourcePorts: > 1 };

    /// <summary>No road, for a reason.</summary>
    internal static ExpressRoadSearch Closed(string reason) => new([], null, reason);
}
