namespace FlannelFast.Control.Subnets;

/// <summary>What a host asks of the store when it wants a subnet.</summary>
/// <param name="Network">The config the subnet must fit.</param>
/// <param name="Attributes">What to publish; its PublicIP identifies this host among the leases.</param>
/// <param name="Previous">What this host held before, from subnet.env; null if nothing is known. Taken again only where nobody else holds it.</param>
/// <param name="OnlyPrevious">The previous subnet or none: for a host whose pods run with its addresses.</param>
internal sealed record LeaseRequest(NetworkConfig Network, LeaseAttributes Attributes, LeasedSubnet? Previous, bool OnlyPrevious = false);
