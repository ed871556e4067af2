using System.Text;

namespace FlannelFast.Control.Files;

/// <summary>
/// Reads NAME=VALUE files as shells, systemd and godotenv do where they agree: an optional <c>export</c>, single or double quotes (with a backslash before
/// <c>" \ $ `</c> in double ones), comments behind <c>#</c>, CRLF line ends. A line that is no assignment is passed over. Nothing is expanded.
/// </summary>
internal static class EnvironmentFile
{
    /// <summary>The variables; of one that is set twice the last value.</summary>
    internal static Dictionary<string, string> Parse(string text)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        ReadOnlySpan<char> rest = text.AsSpan().TrimStart('\ufeff');
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf('\n');
            ReadOnlySpan<char> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? [] : rest[(end + 1)..];
            if (TryParse(line, out string name, out string value)) variables[name] = value;
        }
        return variables;
    }

    private static bool TryParse(ReadOnlySpan<char> line, out string name, out string value)
    {
        name = value = "";
        line = line.Trim();
        if (line.StartsWith("export", StringComparison.Ordinal) && line.Length > 6 && char.IsWhiteSpace(line[6])) line = line[6..].TrimStart();
        int equals = line.IndexOf('=');
        if (equals <= 0 || !IsName(line[..equals])) return false;
        name = line[..equals].ToString();
        return TryUnquote(line[(equals + 1)..].Trim(), out value);
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_') return false;
        }
        return !char.IsAsciiDigit(text[0]);
    }

    /// <returns>False where a quotation mark is never closed or something other than a comment follows.</returns>
    private static bool TryUnquote(ReadOnlySpan<char> text, out string value)
    {
        value = "";
        if (text.IsEmpty || text[0] is not ('"' or '\''))
        {
            int length = 0;
            while (length < text.Length && !char.IsWhiteSpace(text[length]) && (length > 0 || text[0] != '#')) length++;
            value = text[..length].ToString();
            return IsComment(text[length..]);
        }
        var unquoted = new StringBuilder();
        for (int i = 1; i < text.Length; i++)
        {
            char c = text[i];
            if (c == text[0])
            {
                value = unquoted.ToString();
                return IsComment(text[(i + 1)..]);
            }
            if (c == '\\' && text[0] == '"' && i + 1 < text.Length && text[i + 1] is '"' or '\\' or '$' or '`') c = text[++i];
            unquoted.Append(c);
        }
        return false;
    }

    private static bool IsComment(ReadOnlySpan<char> rest) => rest.TrimStart() is [] or ['#', ..];
}
