namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>A switch.</summary>
internal sealed class BooleanFlag(string name, bool absent, string usage) : GoFlag(name, "", usage)
{
    internal bool Value { get; private set; } = absent;

    internal override bool IsBoolean => true;

    internal override string DefaultText { get; } = absent ? "true" : "";

    internal override IReadOnlyList<string> Texts => [Value ? "true" : "false"];

    /// <summary>Go's strconv.ParseBool: exactly these words.</summary>
    protected override string? TrySet(string text)
    {
        bool? value = text switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => true,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => false,
            _ => null,
        };
        if (value is null) return "true or false";
        Value = value.Value;
        return null;
    }
}
