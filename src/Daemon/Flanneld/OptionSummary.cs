using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>What was asked of the daemon in one line of its log, without secrets. Stock logs its whole options, the password of etcd among them.</summary>
internal static class OptionSummary
{
    internal static string Of(IEnumerable<GoFlag> flags, GoFlag secret)
    {
        var given = new List<string>();
        foreach (GoFlag flag in flags)
        {
            if (!flag.IsSet) continue;
            foreach (string text in flag.Texts)
                given.Add($"-{flag.Name}={(flag == secret ? "(hidden)" : Printable(WithoutUserInfo(text)))}");
        }
        return given.Count == 0 ? "no flags" : string.Join(' ', given);
    }

    /// <summary>A URL may carry "user:password@" before its host.</summary>
    private static string WithoutUserInfo(string text) => string.Join(',', text.Split(',').Select(part =>
    {
        int authority = part.IndexOf("://", StringComparison.Ordinal);
        int end = authority < 0 ? -1 : part.IndexOf('/', authority + 3);
        int at = authority < 0 ? -1 : part.LastIndexOf('@', end < 0 ? part.Length - 1 : end);
        return at < authority + 3 || authority < 0 ? part : $"{part[..(authority + 3)]}(hidden)@{part[(at + 1)..]}";
    }));

    private static string Printable(string text) => text.Any(c => char.IsControl(c) || c == ' ') ? InvalidInputException.Quote(text) : text;
}
