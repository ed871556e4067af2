namespace FlannelFast.Daemon.Flanneld.GoFlags;

/// <summary>One of a few words.</summary>
/// <param name="name">Without hyphens.</param>
/// <param name="words">The words and what they mean; the first is the default.</param>
/// <param name="usage">One sentence.</param>
internal sealed class ChoiceFlag<T>(string name, IReadOnlyList<(string Word, T Value)> words, string usage)
    : GoFlag(name, string.Join('|', words.Select(word => word.Word)), usage)
{
    private (string Word, T Value) _choice = words[0];

    internal T Value => _choice.Value;

    internal override string DefaultText { get; } = $"\"{words[0].Word}\"";

    internal override IReadOnlyList<string> Texts => [_choice.Word];

    protected override string? TrySet(string text)
    {
        foreach ((string Word, T Value) choice in words)
        {
            if (choice.Word != text) continue;
            _choice = choice;
            return null;
        }
        return string.Join(" or ", words.Select(word => word.Word));
    }
}
