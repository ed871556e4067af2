namespace FlannelFast.Daemon.Rendering;

/// <summary>Escape sequences for emphasis (ECMA-48 SGR), or none.</summary>
internal sealed class TerminalStyle(bool colour)
{
    /// <summary>Whether to use them: on a terminal that can, unless NO_COLOR (no-color.org) is set to anything.</summary>
    internal static bool IsWanted(bool redirected, Func<string, string?> environment) =>
        !redirected && string.IsNullOrEmpty(environment("NO_COLOR")) && environment("TERM") is not (null or "" or "dumb");

    internal string Heading(string text) => Sgr("1", text);

    internal string Faint(string text) => Sgr("2", text);

    internal string Good(string text) => Sgr("32", text);

    internal string Warning(string text) => Sgr("33", text);

    internal string Bad(string text) => Sgr("31", text);

    private string Sgr(string code, string text) => colour ? $"\e[{code}m{text}\e[0m" : text;
}
