namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>One flag of a <see cref="GoFlagSet"/>.</summary>
/// <param name="name">Without hyphens.</param>
/// <param name="typeName">What the usage shows behind the name; empty for a boolean.</param>
/// <param name="usage">One sentence without a full stop.</param>
internal abstract class GoFlag(string name, string typeName, string usage)
{
    internal string Name { get; } = name;

    internal string TypeName { get; } = typeName;

    internal string Usage { get; } = usage;

    /// <summary>True if the flag stands for itself, and takes a value only behind '='.</summary>
    internal virtual bool IsBoolean => false;

    /// <summary>What the usage says of the default; empty for what Go calls a zero value.</summary>
    internal abstract string DefaultText { get; }

    /// <summary>The value as it could be written behind '='; a repeatable flag has one for each time it was given.</summary>
    internal abstract IReadOnlyList<string> Texts { get; }

    /// <summary>The command line or the environment has set it.</summary>
    internal bool IsSet { get; private set; }

    /// <summary>Takes a value; a later one replaces an earlier one, except where the flag is repeatable.</summary>
    /// <exception cref="GoFlagException">The text is no such value.</exception>
    internal void Set(string text)
    {
        if (TrySet(text) is { } expected) throw GoFlagException.Unexpected(Name, expected, text);
        IsSet = true;
    }

    /// <summary>Takes a value.</summary>
    /// <returns>What was expected instead, or null when the value was taken.</returns>
    protected abstract string? TrySet(string text);
}
