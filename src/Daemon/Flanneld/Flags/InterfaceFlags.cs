using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The flags that choose the underlay.</summary>
internal sealed class InterfaceFlags(GoFlagSet set)
{
    internal ListFlag Names { get; } = set.Add(new ListFlag("iface",
        "interface to use (IP or name) for inter-host communication; may be repeated, the first that is there is used"));

    internal ListFlag Patterns { get; } = set.Add(new ListFlag("iface-regex",
        "regular expression for the interface to use (IP or name); may be repeated, looked at after every -iface", FlagChecks.Pattern));

    internal TextFlag CanReach { get; } = set.Add(new TextFlag("iface-can-reach", "",
        "use the interface by which this IP is reached, as \"ip route get\" tells it; looked at after every -iface-regex", FlagChecks.Address));

    internal TextFlag PublicIP { get; } = set.Add(new TextFlag("public-ip", "", "IP accessible by other nodes for inter-host communication", FlagChecks.AddressV4));

    internal TextFlag PublicIPv6 { get; } = set.Add(new TextFlag("public-ipv6", "", "IPv6 accessible by other nodes for inter-host communication", FlagChecks.AddressV6));
}
