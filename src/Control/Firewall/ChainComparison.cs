namespace FlannelFast.Control.Firewall;

/// <summary>How a chain of flannel's own stands to what should be in it.</summary>
/// <param name="IsRight">Every rule is there, once, in order, and none that should not be.</param>
/// <param name="Kept">Rules of another flannel daemon on this host, which stay.</param>
/// <param name="Own">All others: ours, leftovers of an earlier configuration, and what somebody put there.</param>
internal sealed record ChainComparison(bool IsRight, IReadOnlyList<FoundRule> Kept, IReadOnlyList<FoundRule> Own)
{
    /// <param name="found">The chain as it is.</param>
    /// <param name="expected">What this daemon wants in it.</param>
    /// <param name="rules">By which its rules are told from those of another daemon.</param>
    internal static ChainComparison Of(IReadOnlyList<FoundRule> found, IReadOnlyList<FirewallRule> expected, RuleSet rules)
    {
        var kept = new List<FoundRule>();
        var own = new List<FoundRule>();
        foreach (FoundRule rule in found) (rule.Rule is { } said && !rules.Concerns(said) ? kept : own).Add(rule);
        if (expected.Count == 0 && kept.Count > 0)
        {
            // The rule about kube-proxy's mark serves both daemons.
            kept = [.. found.Where(rule => kept.Contains(rule) || IsShared(rule))];
            own.RemoveAll(IsShared);
        }
        return new(own.Count == expected.Count && own.Select(rule => rule.Rule).SequenceEqual(expected), kept, own);
    }

    private static bool IsShared(FoundRule rule) => rule.Rule is { Mark: not MarkMatch.None };
}
