using System.Globalization;

namespace FlannelFast.Lab.Topologies;

/// <summary>What kind of topology, and of how many nodes.</summary>
internal sealed record TopologySpec(TopologyKind Kind, int Nodes)
{
    internal const int MaxNodes = 64;
    internal const string Syntax = "pair, star:N with 2 to 64 nodes, or pods";

    /// <summary>Reads "pair", "star:4" or "pods".</summary>
    /// <param name="place">What a message begins with.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="LabException">It is none of these.</exception>
    internal static TopologySpec Parse(string place, string text)
    {
        if (text == "pair") return new(TopologyKind.Pair, 2);
        if (text == "pods") return new(TopologyKind.Pods, 2);
        if (text.StartsWith("star:", StringComparison.Ordinal) &&
            int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int nodes) && nodes is >= 2 and <= MaxNodes)
        {
            return new(TopologyKind.Star, nodes);
        }
        throw LabException.Input($"{place}: expected {Syntax}, not \"{text}\"");
    }

    /// <summary>The form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Kind switch
    {
        TopologyKind.Pair => "pair",
        TopologyKind.Pods => "pods",
        _ => string.Create(CultureInfo.InvariantCulture, $"star:{Nodes}"),
    };
}
