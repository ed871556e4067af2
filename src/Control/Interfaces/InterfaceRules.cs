using System.Net;

namespace FlannelFast.Control.Interfaces;

/// <summary>How the user wants the underlay to be chosen.</summary>
/// <param name="Names">-iface: names or addresses, first match wins.</param>
/// <param name="Patterns">-iface-regex, asked after the names.</param>
/// <param name="CanReach">-iface-can-reach, asked after the patterns.</param>
/// <param name="PublicIP">-public-ip: what is published; without any rule above also what the interface must own.</param>
/// <param name="PublicIPv6">-public-ipv6, likewise.</param>
internal sealed record InterfaceRules(
    IReadOnlyList<string> Names, IReadOnlyList<string> Patterns, IPAddress? CanReach, IPAddress? PublicIP, IPAddress? PublicIPv6);
