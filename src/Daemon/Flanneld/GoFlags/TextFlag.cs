namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>A text, checked by <paramref name="check"/> where not every one will do.</summary>
/// <param name="name">Without hyphens.</param>
/// <param name="absent">The default; not checked.</param>
/// <param name="usage">One sentence.</param>
/// <param name="check">Answers what was expected instead, or null for a text that will do.</param>
internal sealed class TextFlag(string name, string absent, string usage, Func<string, string?>? check = null) : GoFlag(name, "string", usage)
{
    internal string Value { get; private set; } = absent;

    internal override string DefaultText { get; } = absent.Length == 0 ? "" : $"\"{absent}\"";

    internal override IReadOnlyList<string> Texts => [Value];

    protected override string? TrySet(string text)
    {
        // An empty text says "as if not given", which scripts write where a variable is empty.
        if (text.Length > 0 && check?.Invoke(text) is { } expected) return expected;
        Value = text;
        return null;
    }
}
