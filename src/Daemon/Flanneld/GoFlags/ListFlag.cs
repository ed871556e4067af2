namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>A text that may be given several times; all are kept, in order.</summary>
/// <param name="name">Without hyphens.</param>
/// <param name="usage">One sentence.</param>
/// <param name="check">Answers what was expected instead, or null for a text that will do.</param>
internal sealed class ListFlag(string name, string usage, Func<string, string?>? check = null) : GoFlag(name, "value", usage)
{
    private readonly List<string> _values = [];

    internal IReadOnlyList<string> Values => _values;

    internal override string DefaultText => "";

    internal override IReadOnlyList<string> Texts => _values;

    protected override string? TrySet(string text)
    {
        // As if not given, which scripts write where a variable is empty.
        if (text.Length == 0) return null;
        if (check?.Invoke(text) is { } expected) return expected;
        _values.Add(text);
        return null;
    }
}
