namespace FlannelFast.Control.Netlink;

/// <summary>Something <see cref="NetlinkMonitor"/> saw happen to the host's links, addresses, routes, neighbours or IPsec policies.</summary>
internal abstract record NetworkChange;

/// <summary>A link is new, or something about it changed.</summary>
internal sealed record LinkChanged(Link Link) : NetworkChange;

internal sealed record LinkRemoved(Link Link) : NetworkChange;

/// <summary>An address is new, or something about it changed (an IPv6 address that is no longer tentative).</summary>
internal sealed record AddressAdded(InterfaceAddress Address) : NetworkChange;

internal sealed record AddressRemoved(InterfaceAddress Address) : NetworkChange;

/// <summary>A route of any table is new or replaced another to the same destination with the same metric.</summary>
internal sealed record RouteAdded(Route Route) : NetworkChange;

/// <summary>
/// A route was removed by someone. The kernel tells nobody of the IPv4 routes it drops itself when a link goes down or an
/// address away (net/ipv4/fib_trie.c, fib_table_flush): look for those after <see cref="LinkChanged"/>,
/// <see cref="LinkRemoved"/> and <see cref="AddressRemoved"/>.
/// </summary>
internal sealed record RouteRemoved(Route Route) : NetworkChange;

/// <summary>A neighbour is new, or something about it changed. Only where the monitor was asked for neighbours.</summary>
internal sealed record NeighbourChanged(Neighbour Neighbour) : NetworkChange;

/// <summary>A neighbour is forgotten; the kernel also tells of those that it drops with a link's "up" or address.</summary>
internal sealed record NeighbourRemoved(Neighbour Neighbour) : NetworkChange;

/// <summary>A forwarding entry is new, or something about it changed. Only where the monitor was asked for neighbours.</summary>
internal sealed record FdbEntryChanged(FdbEntry Entry) : NetworkChange;

internal sealed record FdbEntryRemoved(FdbEntry Entry) : NetworkChange;

/// <summary>An IPsec policy came or went, or what is done without one changed. Only of <see cref="IpsecPolicies"/>.</summary>
internal sealed record IpsecPolicyChanged : NetworkChange;

/// <summary>Changes were lost: read everything again. What follows happened after this.</summary>
internal sealed record Overrun : NetworkChange;

/// <summary>The monitor has ended because its socket failed; nothing follows. A new one must be made, and everything read again.</summary>
internal sealed record MonitorFailed(NetlinkException Error) : NetworkChange;
