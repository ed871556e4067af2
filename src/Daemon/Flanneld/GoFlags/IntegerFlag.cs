using System.Globalization;

namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>A whole number between two bounds.</summary>
internal sealed class IntegerFlag(string name, int absent, int min, int max, string usage) : GoFlag(name, "int", usage)
{
    internal int Value { get; private set; } = absent;

    internal override string DefaultText { get; } = absent == 0 ? "" : absent.ToString(CultureInfo.InvariantCulture);

    internal override IReadOnlyList<string> Texts => [Value.ToString(CultureInfo.InvariantCulture)];

    protected override string? TrySet(string text)
    {
        if (!GoInteger.TryParse(text, out long value) || value < min || value > max)
            return string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");
        Value = (int)value;
        return null;
    }
}
