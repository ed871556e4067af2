using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;

namespace FlannelFast.Control.Tunnels;

/// <summary>What <see cref="Find"/> found: a road, or why there is none.</summary>
/// <param name="Road">Null where there is a <paramref name="Reason"/>.</param>
/// <param name="Underlay">The interface of the road.</param>
/// <param name="Reason">One clause, "the underlay is IPv6"; null where there is a road.</param>
/// <param name="WithoutXdp">The road to take if the driver refuses the program that <paramref name="Road"/> wants in it; null where it wants none.</param>
internal sealed record ExpressRoadSearch(ExpressRoad? Road, Link? Underlay, string? Reason, ExpressRoad? WithoutXdp)
{
    /// <summary>Interfaces of this kind end on the same machine: what one end hands over whole, the other gets whole.</summary>
    private const string KindOfOneMachine = "veth";

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
        // Where TCP arrives cut, a program in the driver has it merged. A capture would see packets there that were never on the wire.
        bool xdp = always && !arrivesWhole && underlay.Promiscuity == 0;
        var plain = new ExpressRoad { TunIndex = tun.Index, UnderlayIndex = underlay.Index, UnderlayMtu = underlay.Mtu, Tcp = always || arrivesWhole };
        return xdp ? new(plain with { Xdp = true }, underlay, null, plain) : new(plain, underlay, null, null);
    }

    /// <summary>No road, for a reason.</summary>
    internal static ExpressRoadSearch Closed(string reason) => new(null, null, reason, null);
}
