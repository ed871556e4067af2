using System.Globalization;
using System.Text;
using FlannelFast.Control.Processes;

namespace FlannelFast.Control.Firewall;

/// <summary>Rules by the program nft: a table of flannel's own for each family, every change one transaction.</summary>
/// <param name="runner">Runs the program.</param>
internal sealed class NftFirewall(IProgramRunner runner) : IFirewall
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);
    private static readonly Dictionary<string, string?> s_environment = new() { ["LC_ALL"] = "C" };

    private (bool Comments, bool FullyRandom)? _knows;

    /// <inheritdoc />
    public string Mode => "nftables";

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> EnsureAsync(RuleSet rules, bool isStart, CancellationToken cancel)
    {
        if (!isStart && rules.IsEmpty) return [];
        _knows ??= (await KnowsAsync("add table ip flannel-probe { comment \"x\" ; }", cancel).ConfigureAwait(false),
            await KnowsAsync("add table ip flannel-probe\nadd chain ip flannel-probe c { type nat hook postrouting priority 100 ; }\n"
                + "add rule ip flannel-probe c masquerade fully-random", cancel).ConfigureAwait(false));
        if (!_knows.Value.FullyRandom) rules = rules with { IsFullyRandom = false };
        return await ApplyAsync(rules, state => Difference(rules, state, _knows.Value.Comments), cancel).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> RemoveAsync(RuleSet rules, CancellationToken cancel) =>
        ApplyAsync(rules, state => state is null ? ([], []) : Removal(rules.Without, state), cancel);

    private async Task<IReadOnlyList<string>> ApplyAsync(
        RuleSet rules, Func<NftTableState?, (List<string> Changes, List<string> Lines)> compare, CancellationToken cancel)
    {
        string? refused = null;
        while (true)
        {
            (List<string> changes, List<string> lines) = compare(await ListAsync(rules, cancel).ConfigureAwait(false));
            if (changes.Count == 0) return [];
            string input = string.Concat(lines.Select(line => line + "\n"));
            ProgramResult result = await RunAsync(input, ["-f", "-"], cancel).ConfigureAwait(false);
            if (result.ExitCode == 0) return changes;
            // Between looking and changing somebody else may have deleted what was to be deleted: look again, and once only if nothing is new.
            if (input == refused) throw new FirewallException($"nft -f -: {result.Complaint}");
            refused = input;
        }
    }

    private static (List<string> Changes, List<string> Lines) Difference(RuleSet rules, NftTableState? state, bool withComments)
    {
        List<string> changes = [], lines = [];
        string table = NameOf(rules);
        if (state is null) changes.Add($"table {table} made");
        // Also where it is there: it may be deleted before this is applied.
        lines.Add($"add table {table}{Comment($"rules for {table.Split(' ')[1]}")}");
        foreach (NftChain chain in NftChain.Of(rules))
        {
            ChainComparison found = ChainComparison.Of(state?.RulesOf(chain.Name) ?? [], chain.Rules, rules);
            string? header = state?.HeaderOf(chain.Name);
            if (chain.Rules.Count == 0 && found.Own.Count == 0) continue;
            bool isWrongKind = header is not null && !chain.IsLike(header);
            if (header is not null && !isWrongKind && found.IsRight) continue;
            changes.Add($"chain {table} {chain.Name} {(header is null ? "made" : "set right")}");
            // The kind of a chain cannot be changed. Whoever made it anew put nothing of worth into it.
            if (isWrongKind) lines.Add($"delete chain {table} {chain.Name}");
            string priority = chain.Priority.ToString(CultureInfo.InvariantCulture);
            lines.Add($"add chain {table} {chain.Name} {{ type {chain.Type} hook {chain.Hook} priority {priority} ;{Inner(chain.Comment)} }}");
            if (!isWrongKind) foreach (FoundRule own in found.Own) lines.Add($"delete rule {table} {chain.Name} handle {own.Text}");
            foreach (FirewallRule rule in chain.Rules)
            {
                // The rule about kube-proxy's mark comes first also for another daemon whose rules stay.
                string verb = rule.Mark == MarkMatch.None ? "add" : "insert";
                lines.Add($"{verb} rule {table} {chain.Name} {NftText.Format(rule, rules.IsIpv6)}");
            }
        }
        return (changes, lines);

        string Comment(string text) => withComments ? $" {{{Inner(text)} }}" : "";
        string Inner(string text) => withComments ? $" comment \"{text}\" ;" : "";
    }

    /// <summary>The whole table, unless another flannel daemon has rules in it.</summary>
    private static (List<string> Changes, List<string> Lines) Removal(RuleSet rules, NftTableState state)
    {
        string table = NameOf(rules);
        List<string> lines = [];
        bool isShared = false;
        foreach (string chain in state.Chains)
        {
            ChainComparison found = ChainComparison.Of(state.RulesOf(chain), [], rules);
            isShared |= found.Kept.Count > 0;
            foreach (FoundRule own in found.Own) lines.Add($"delete rule {table} {chain} handle {own.Text}");
        }
        if (!isShared) return ([$"table {table} deleted"], [$"delete table {table}"]);
        return lines.Count == 0 ? ([], []) : ([$"rules of table {table} deleted"], lines);
    }

    private static string NameOf(RuleSet rules) => rules.IsIpv6 ? "ip6 flannel-ipv6" : "ip flannel-ipv4";

    /// <returns>Null where there is no such table.</returns>
    private async Task<NftTableState?> ListAsync(RuleSet rules, CancellationToken cancel)
    {
        string[] arguments = ["-a", "list", "table", .. NameOf(rules).Split(' ')];
        ProgramResult result = await RunAsync("", arguments, cancel).ConfigureAwait(false);
        if (result.ExitCode == 0) return NftTableState.Parse(result.Output, rules.IsIpv6);
        return result.Error.Contains("No such file or directory", StringComparison.Ordinal)
            ? null : throw new FirewallException($"nft {string.Join(' ', arguments)}: {result.Complaint}");
    }

    /// <summary>Whether this nft understands a command. Any other failure than that of the parser says nothing about it.</summary>
    private async Task<bool> KnowsAsync(string command, CancellationToken cancel)
    {
        ProgramResult result = await RunAsync(command + "\n", ["--check", "-f", "-"], cancel).ConfigureAwait(false);
        return result.ExitCode == 0 || !result.Error.Contains("syntax error", StringComparison.Ordinal);
    }

    private async Task<ProgramResult> RunAsync(string input, string[] arguments, CancellationToken cancel)
    {
        try
        {
            ProgramRequest request = new("nft", arguments) { Input = Encoding.ASCII.GetBytes(input), Environment = s_environment, Deadline = s_deadline };
            return await runner.RunAsync(request, cancel).ConfigureAwait(false);
        }
        catch (ProgramException e)
        {
            throw new FirewallException(e.Message, e.IsMissing, e);
        }
    }
}
