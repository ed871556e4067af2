using FlannelFast.Control.Backends;
using FlannelFast.Control.Netlink;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Interfaces;

/// <summary>
/// Follows the underlay while a daemon runs, which stock does not. As long as the interface keeps the addresses that are in use it stays the underlay,
/// whatever else would match by now; when it loses one, the rules are asked again.
/// </summary>
internal sealed class UnderlayMonitor(IHostNetwork network, InterfaceSelector selector, AddressFamilies families, ILogger log)
{
    private string? _complaint;

    /// <summary>Looks again.</summary>
    /// <param name="current">The underlay in use.</param>
    /// <returns>The underlay to use from now on; the same object where nothing that matters has changed or none can be used at the moment.</returns>
    internal ExternalInterface Look(ExternalInterface current)
    {
        ExternalInterface fresh;
        try
        {
            fresh = Refresh(current) ?? selector.Select(families);
        }
        catch (Exception e) when (e is InterfaceNotFoundException or NetlinkException)
        {
            if (e.Message != _complaint) log.UnderlayLost(current.Link.Name, e.Message);
            _complaint = e.Message;
            return current;
        }
        _complaint = null;
        if (Describe(fresh) == Describe(current)) return current;
        log.UnderlayChanged($"was {Describe(current)}, is {Describe(fresh)}");
        return fresh;
    }

    /// <summary>The same interface as it is now, or null if it no longer has what is in use of it.</summary>
    private ExternalInterface? Refresh(ExternalInterface current)
    {
        var host = new HostSnapshot(network.Links(), network.Addresses());
        if (host.FindLink(current.Link.Index) is not { } link) return null;
        bool isIntact = (current.Address is null || host.Has(link, current.Address)) && (current.AddressV6 is null || host.Has(link, current.AddressV6));
        return isIntact && link.Mtu > 0 ? current with { Link = link } : null;
    }

    /// <summary>Everything that matters to a backend.</summary>
    private static string Describe(ExternalInterface external)
    {
        string addresses = string.Join(" and ", new[] { external.Address, external.AddressV6 }.Where(address => address is not null));
        return $"{external.Link.Name} (index {external.Link.Index}, MTU {external.Link.Mtu}) with {addresses}";
    }
}
