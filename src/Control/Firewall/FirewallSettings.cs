using FlannelFast.Control.Files;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Processes;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Firewall;

/// <summary>What a host's firewall is made from.</summary>
/// <param name="Network">The cluster's config: networks, and whether nftables is used.</param>
/// <param name="Own">This host's subnet.</param>
/// <param name="Previous">What subnet.env said at the start, before it was written anew.</param>
/// <param name="Options">The flags.</param>
internal sealed record FirewallSettings(NetworkConfig Network, LeasedSubnet Own, PreviousSubnets Previous, FirewallOptions Options)
{
    /// <summary>A keeper that works on this host.</summary>
    /// <param name="routes">For blackhole routes. Used until the keeper is disposed.</param>
    /// <param name="runner">Runs iptables and nft.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where it reports.</param>
    internal FirewallKeeper CreateKeeper(RouteClient routes, IProgramRunner runner, TimeProvider time, ILoggerFactory loggers)
    {
        // The lock is waited for at most as long as nobody looks anyway.
        TimeSpan lockWait = TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(Options.Resync.TotalSeconds), 1, 5));
        IFirewall iptables = new IptablesFirewall(runner, lockWait), nftables = new NftFirewall(runner);
        ILogger log = loggers.CreateLogger("flanneld.firewall");
        if (!Network.EnableNFTables && (Options.Masquerade || Options.Forward)) BridgeNetfilter.Check(log, Network.Ipv4 is not null, Network.Ipv6 is not null);
        (IFirewall used, IFirewall other) = Network.EnableNFTables ? (nftables, iptables) : (iptables, nftables);
        return new(used, other, new BlackholeRoute(routes), this, time, log);
    }

    /// <summary>The rules of both families.</summary>
    internal IReadOnlyList<RuleSet> Rules(LeasedSubnet own, PreviousSubnets previous) => FirewallRules.Of(Network, own, previous, Options);
}
