namespace FlannelFast.Control.Firewall;

/// <summary>What iptables-save says of one table, as far as it concerns flannel.</summary>
internal sealed class IptablesTableState
{
    private readonly List<FoundRule> _hook = [], _chain = [];

    private IptablesTableState()
    {
    }

    /// <summary>Rules of the built-in chain, all of them.</summary>
    internal IReadOnlyList<FoundRule> Hook => _hook;

    /// <summary>Rules of flannel's own chain.</summary>
    internal IReadOnlyList<FoundRule> Chain => _chain;

    internal bool HasChain { get; private set; }

    /// <summary>Another chain than the built-in one jumps to flannel's, so it cannot be deleted.</summary>
    internal bool IsUsedElsewhere { get; private set; }

    /// <summary>Which lines of a table of perhaps 100,000 (kube-proxy) are looked at.</summary>
    internal static bool IsOfInterest(ReadOnlySpan<byte> line) =>
        line.IndexOf("FLANNEL-"u8) >= 0 || line.StartsWith("-A POSTROUTING "u8) || line.StartsWith("-A FORWARD "u8);

    internal static IptablesTableState Parse(string saved, IptablesTable table)
    {
        var state = new IptablesTableState();
        string hook = $"-A {table.Hook} ", chain = $"-A {table.Chain} ", declaration = $":{table.Chain} ", target = $" {table.Chain}";
        foreach (ReadOnlySpan<char> line in saved.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(declaration, StringComparison.Ordinal)) state.HasChain = true;
            else if (line.StartsWith(chain, StringComparison.Ordinal)) state._chain.Add(Found(line[chain.Length..]));
            else if (line.StartsWith(hook, StringComparison.Ordinal)) state._hook.Add(Found(line[hook.Length..]));
            else if (line.EndsWith(target, StringComparison.Ordinal)) state.IsUsedElsewhere = true;
        }
        return state;
    }

    private static FoundRule Found(ReadOnlySpan<char> text) => new(IptablesText.Parse(text), text.ToString());
}
