using System.Text;

namespace FlannelFast.Control.Firewall;

/// <summary>The difference between a table and what it should be, as input of <c>iptables-restore --noflush</c>, which applies all of it or nothing.</summary>
internal sealed class IptablesTransaction
{
    private readonly StringBuilder _lines = new();
    private readonly List<string> _changes = [];

    private IptablesTransaction()
    {
    }

    /// <summary>What it changes, one phrase each. Empty: nothing needs to be done.</summary>
    internal IReadOnlyList<string> Changes => _changes;

    internal static IptablesTransaction Of(IptablesTable table, IptablesTableState state, RuleSet rules)
    {
        var transaction = new IptablesTransaction();
        IReadOnlyList<FirewallRule> expected = table.Expected(rules);
        ChainComparison chain = ChainComparison.Of(state.Chain, expected, rules);
        // A chain that serves another flannel daemon stays, and with it what belongs to both.
        bool isWanted = expected.Count > 0 || chain.Kept.Count > 0;
        if (isWanted)
        {
            if (!state.HasChain || !chain.IsRight) transaction.WriteChain(table, state, chain, expected);
        }
        else if (state.HasChain && state.Chain.Count > 0)
        {
            transaction.Add($"{table.Chain} emptied", $":{table.Chain} - [0:0]");
        }
        transaction.CleanHook(table, state, rules, isWanted);
        if (!isWanted && state.HasChain && !state.IsUsedElsewhere) transaction.Add($"{table.Chain} deleted", $"-X {table.Chain}");
        return transaction;
    }

    /// <summary>Several tables in one run: each is a transaction of its own, in this order.</summary>
    internal string Text(IptablesTable table) => $"*{table.Name}\n{_lines}COMMIT\n";

    private void WriteChain(IptablesTable table, IptablesTableState state, ChainComparison chain, IReadOnlyList<FirewallRule> expected)
    {
        // To declare a chain makes it or empties it. Either way nobody sees it half full: the transaction is swapped in as a whole.
        Add($"{table.Chain} {(state.HasChain ? "set right" : "made")}", $":{table.Chain} - [0:0]");
        // The rule about kube-proxy's mark comes first also for the other daemon.
        int first = expected is [{ Mark: not MarkMatch.None }, ..] ? 1 : 0;
        foreach (FirewallRule shared in expected.Take(first)) Append(table, IptablesText.Format(shared));
        foreach (FoundRule kept in chain.Kept) Append(table, kept.Text);
        foreach (FirewallRule own in expected.Skip(first)) Append(table, IptablesText.Format(own));
    }

    private void CleanHook(IptablesTable table, IptablesTableState state, RuleSet rules, bool isWanted)
    {
        bool isThere = false;
        foreach (FoundRule found in state.Hook)
        {
            if (found.Rule is not { } rule) continue;
            bool isJump = rule.Target == table.Chain;
            if (isJump && isWanted && !isThere && rule == table.Jump) isThere = true;
            else if (isJump) Add($"jump from {table.Hook} deleted", $"-D {table.Hook} {found.Text}");
            else if (rules.IsOfOldFlannel(rule, table)) Add($"rule of an old flannel deleted from {table.Hook}", $"-D {table.Hook} {found.Text}");
        }
        if (isWanted && !isThere) Add($"jump from {table.Hook} set", $"-A {table.Hook} {IptablesText.Format(table.Jump)}");
    }

    private void Append(IptablesTable table, string rule) => _lines.Append("-A ").Append(table.Chain).Append(' ').Append(rule).Append('\n');

    private void Add(string change, string line)
    {
        if (!_changes.Contains(change)) _changes.Add(change);
        _lines.Append(line).Append('\n');
    }
}
