namespace FlannelFast.Control.Firewall;

/// <summary>What <c>nft -a list table</c> says of flannel's table.</summary>
internal sealed class NftTableState
{
    private readonly Dictionary<string, (string Header, List<FoundRule> Rules)> _chains = [];

    internal IReadOnlyCollection<string> Chains => _chains.Keys;

    /// <summary>"type nat hook postrouting priority srcnat; policy accept;"; empty for a chain without a hook, null for one that is not there.</summary>
    internal string? HeaderOf(string chain) => _chains.TryGetValue(chain, out var found) ? found.Header : null;

    internal IReadOnlyList<FoundRule> RulesOf(string chain) => _chains.TryGetValue(chain, out var found) ? found.Rules : [];

    internal static NftTableState Parse(string listing, bool isIpv6)
    {
        const string Handle = " # handle ";
        var state = new NftTableState();
        string? chain = null;
        foreach (ReadOnlySpan<char> raw in listing.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> line = raw.Trim();
            int mark = line.LastIndexOf(Handle, StringComparison.Ordinal);
            ReadOnlySpan<char> text = mark < 0 ? line : line[..mark].TrimEnd();
            if (text.StartsWith("chain ", StringComparison.Ordinal) && text.EndsWith("{", StringComparison.Ordinal))
            {
                chain = text["chain ".Length..^1].Trim().ToString();
                state._chains[chain] = ("", []);
            }
            else if (chain is not null && text.StartsWith("type ", StringComparison.Ordinal))
            {
                state._chains[chain] = (text.ToString(), state._chains[chain].Rules);
            }
            else if (text is "}")
            {
                chain = null;
            }
            else if (chain is not null && mark >= 0)
            {
                state._chains[chain].Rules.Add(new(NftText.Parse(text, isIpv6), line[(mark + Handle.Length)..].Trim().ToString()));
            }
        }
        return state;
    }
}
