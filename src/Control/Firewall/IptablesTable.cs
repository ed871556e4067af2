namespace FlannelFast.Control.Firewall;

/// <summary>What flannel has in one table of iptables: a chain of its own and the jump to it.</summary>
/// <param name="Name">"nat".</param>
/// <param name="Hook">The built-in chain with the jump.</param>
/// <param name="Chain">Flannel's own.</param>
/// <param name="Comment">On every rule of flannel in this table.</param>
/// <param name="Verdicts">What flannel's rules in this table do.</param>
internal sealed record IptablesTable(string Name, string Hook, string Chain, string Comment, FirewallVerdict[] Verdicts)
{
    internal static readonly IptablesTable Nat = new("nat", "POSTROUTING", "FLANNEL-POSTRTG", RuleSet.MasqueradeComment, [FirewallVerdict.Return, FirewallVerdict.Masquerade]);
    internal static readonly IptablesTable Filter = new("filter", "FORWARD", "FLANNEL-FWD", RuleSet.ForwardComment, [FirewallVerdict.Accept]);

    internal FirewallRule Jump => new() { Verdict = FirewallVerdict.Jump, Target = Chain, Comment = Comment };

    internal IReadOnlyList<FirewallRule> Expected(RuleSet rules) => ReferenceEquals(this, Nat) ? rules.Masquerade() : rules.Forward();
}
