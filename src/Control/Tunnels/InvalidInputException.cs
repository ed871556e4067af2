namespace FlannelFast.Control.Tunnels;

/// <summary>
/// What the user wrote (a flag, a field of a file, a request) is not acceptable. The message is one printable line that names
/// the place and what was expected there; nothing on the host was changed.
/// </summary>
internal sealed class InvalidInputException(string message) : Exception(message)
{
    /// <summary>
    /// Puts foreign text between quotation marks for a message: control characters are escaped, so that a file cannot move the
    /// cursor of a terminal or start a second log line, and text beyond <paramref name="limit"/> characters is cut.
    /// </summary>
    internal static string Quote(string text, int limit = 80)
    {
        var quoted = new System.Text.StringBuilder("\"");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, limit)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029') quoted.Append($"\\u{(int)c:x4}");
            else quoted.Append(c);
        }
        return quoted.Append(text.Length > limit ? "…\"" : "\"").ToString();
    }
}
