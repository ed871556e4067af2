using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support;

/// <summary>The repository's own documents, so that what they tell a reader to type is what is tested.</summary>
internal static class Documentation
{
    /// <summary>The contents of the fenced blocks of one language, in order.</summary>
    public static IReadOnlyList<string> Blocks(string document, string language) =>
    [
        .. Regex.Matches(File.ReadAllText(SourceTree.PathOf(document)), $"^```{language}\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)
            .Select(block => block.Groups[1].Value),
    ];

    /// <summary>The arguments behind "flannelfast" in every line that runs it with this command.</summary>
    public static IReadOnlyList<string[]> Commands(string document, string command) => Words(document, $"sudo ./dist/flannelfast {command} ", skip: 2);

    /// <summary>The arguments of every line that runs a program by its bare name.</summary>
    public static IReadOnlyList<string[]> CommandLines(string document, string program) => Words(document, $"{program} ", skip: 1);

    private static IReadOnlyList<string[]> Words(string document, string start, int skip) =>
    [
        .. Blocks(document, "sh").SelectMany(block => block.Split('\n'))
            .Where(line => line.StartsWith(start, StringComparison.Ordinal))
            .Select(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[skip..]),
    ];
}
