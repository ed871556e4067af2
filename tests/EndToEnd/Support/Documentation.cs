using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support;

/// <summary>The repository's own documents, so that what they tell a reader to type is what is tested.</summary>
internal static class Documentation
{
    /// <summary>Where a document is, named relative to the repository.</summary>
    public static string PathOf(string document) => SourceTree.PathOf(document);

    /// <summary>The contents of the fenced blocks of one language, in order.</summary>
    public static IReadOnlyList<string> Blocks(string document, string language) =>
    [
        .. Regex.Matches(File.ReadAllText(PathOf(document)), $"^```{language}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)
            .Select(block => block.Groups[1].Value),
    ];

    /// <summary>The arguments behind "flannelfast" in every line that runs it with this command.</summary>
    public static IReadOnlyList<string[]> Commands(string document, string command) =>
    [
        .. Blocks(document, "sh").SelectMany(block => block.Split('\n'))
            .Where(line => line.StartsWith($"sudo ./dist/flannelfast {command} ", StringComparison.Ordinal))
            .Select(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..]),
    ];

    /// <summary>The arguments of every line that runs a program by its bare name.</summary>
    public static IReadOnlyList<string[]> CommandLines(string document, string program) =>
    [
        .. Blocks(document, "sh").SelectMany(block => block.Split('\n'))
            .Where(line => line.StartsWith($"{program} ", StringComparison.Ordinal))
            .Select(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]),
    ];
}
