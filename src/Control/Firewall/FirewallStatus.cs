namespace FlannelFast.Control.Firewall;

/// <summary>How the firewall is doing, for <c>status</c>.</summary>
/// <param name="Mode">"iptables" or "nftables".</param>
/// <param name="IsInPlace">At the last look everything that is wanted stood, or was put right.</param>
/// <param name="Repairs">How often something was not as it had been left, since the start.</param>
/// <param name="SinceRepair">How long ago that was last; null if never.</param>
/// <param name="LastRepair">What was changed then; null if nothing ever was.</param>
/// <param name="LastError">Why the last attempt failed; null where it did not.</param>
internal sealed record FirewallStatus(string Mode, bool IsInPlace, int Repairs, TimeSpan? SinceRepair, string? LastRepair, string? LastError);
