namespace FlannelFast.Control.Firewall;

/// <summary>A rule that stands in the kernel.</summary>
/// <param name="Rule">What it says; null where it says more than flannel ever did.</param>
/// <param name="Text">By which it can be deleted or written again: its text for iptables, its handle for nft.</param>
internal sealed record FoundRule(FirewallRule? Rule, string Text);
