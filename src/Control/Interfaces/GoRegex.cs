using System.Text;
using System.Text.RegularExpressions;

namespace FlannelFast.Control.Interfaces;

/// <summary>
/// Regular expressions in the syntax of Go's package regexp (RE2), by .NET's engine that never goes back: it takes linear time and refuses
/// what RE2 refuses too, look-around and references. What the two write differently is rewritten first.
/// </summary>
internal static class GoRegex
{
    // https://github.com/google/re2/wiki/Syntax, "ASCII character classes".
    private static readonly Dictionary<string, string> s_classes = new()
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = @"\x00-\x7F",
        ["blank"] = @"\t ",
        ["cntrl"] = @"\x00-\x1F\x7F",
        ["digit"] = "0-9",
        ["graph"] = "!-~",
        ["lower"] = "a-z",
        ["print"] = " -~",
        ["punct"] = @"!-/:-@\[-`{-~",
        ["space"] = @"\t\n\v\f\r ",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>Makes an expression that is searched for anywhere in a text.</summary>
    /// <exception cref="ArgumentException">It is none; the message says why.</exception>
    internal static Regex Compile(string pattern)
    {
        try
        {
            return new(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }
    }

    private static string Translate(string pattern)
    {
        var translated = new StringBuilder();
        int set = -1; // where the open set began
        for (int i = 0; i < pattern.Length; i++)
        {
            ReadOnlySpan<char> rest = pattern.AsSpan(i);
            if (rest.StartsWith(@"\Q"))
            {
                int end = pattern.IndexOf(@"\E", i, StringComparison.Ordinal);
                translated.Append(Regex.Escape(end < 0 ? pattern[(i + 2)..] : pattern[(i + 2)..end]));
                i = end < 0 ? pattern.Length : end + 1;
            }
            else if (rest.StartsWith("(?P<") && set < 0)
            {
                translated.Append("(?<");
                i += 3;
            }
            else if (set >= 0 && rest.StartsWith("[:"))
            {
                int end = pattern.IndexOf(":]", i, StringComparison.Ordinal);
                string name = end < 0 ? "" : pattern[(i + 2)..end];
                if (!s_classes.TryGetValue(name, out string? members)) throw new ArgumentException($"there is no class [:{name}:]", nameof(pattern));
                translated.Append(members);
                i = end + 1;
            }
            else
            {
                char c = pattern[i];
                translated.Append(c);
                // The character behind a backslash means itself, or what both engines say it means.
                if (c == '\\' && i + 1 < pattern.Length) translated.Append(pattern[++i]);
                else if (set < 0 && c == '[') set = i;
                else if (c == ']' && !IsFirstInSet(pattern, set, i)) set = -1;
            }
        }
        return translated.ToString();
    }

    /// <summary>A ']' that comes first in a set, or behind its '^', is a member and does not end it.</summary>
    private static bool IsFirstInSet(string pattern, int set, int i) => set >= 0 && (i == set + 1 || (i == set + 2 && pattern[set + 1] == '^'));
}
