using System.Text;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>
/// A command of the network config. There is no shell, as in stock since 0.28.2 (GHSA-vchx-5pr6-ffx2): white space separates the words, then
/// $VAR and ${VAR} are replaced inside each, so that no value becomes two words; quotes, pipes and semicolons stand for themselves.
/// </summary>
/// <param name="Name">Its field in the config, for messages.</param>
/// <param name="Text">As the config has it.</param>
internal sealed record CommandTemplate(string Name, string Text)
{
    internal bool IsEmpty => string.IsNullOrWhiteSpace(Text);

    /// <summary>The program and its arguments.</summary>
    /// <param name="variable">Value of a variable; null counts as empty.</param>
    internal List<string> Expand(Func<string, string?> variable)
    {
        List<string> words = [];
        foreach (string word in Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) words.Add(ExpandWord(word, variable));
        return words;
    }

    /// <summary>As Go's os.Expand: names are letters, digits and underscores, or one of the shell's special characters, which name nothing here.</summary>
    private static string ExpandWord(string word, Func<string, string?> variable)
    {
        var text = new StringBuilder(word.Length);
        int at = 0;
        while (at < word.Length)
        {
            if (word[at] != '$' || at + 1 == word.Length)
            {
                text.Append(word[at++]);
                continue;
            }
            (string name, int length) = ReadName(word.AsSpan(at + 1));
            if (name.Length > 0) text.Append(variable(name));
            // A dollar before what can be no name stays; broken braces are eaten.
            else if (length == 0) text.Append('$');
            at += 1 + length;
        }
        return text.ToString();
    }

    /// <summary>The name behind a dollar, empty if there is none, and the characters to pass over.</summary>
    private static (string Name, int Length) ReadName(ReadOnlySpan<char> rest)
    {
        if (rest[0] == '{')
        {
            int end = rest.IndexOf('}');
            if (end < 0) return ("", 1);
            ReadOnlySpan<char> inside = rest[1..end];
            bool isName = inside.Length > 0 && (NameLength(inside) == inside.Length || (inside.Length == 1 && IsSpecial(inside[0])));
            return (isName ? inside.ToString() : "", end + 1);
        }
        int length = IsSpecial(rest[0]) ? 1 : NameLength(rest);
        return (rest[..length].ToString(), length);
    }

    private static int NameLength(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] == '_')) length++;
        return length;
    }

    private static bool IsSpecial(char c) => c is '*' or '#' or '$' or '@' or '!' or '?' or '-' || char.IsAsciiDigit(c);
}
