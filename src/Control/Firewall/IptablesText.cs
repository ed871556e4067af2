using System.Net;
using System.Text;

namespace FlannelFast.Control.Firewall;

/// <summary>Rules as iptables writes and prints them, the same for both of its variants.</summary>
internal static class IptablesText
{
    /// <summary>A rule without its chain: <c>-s 10.5.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully</c>.</summary>
    internal static string Format(FirewallRule rule)
    {
        var text = new StringBuilder();
        Append(text, "-s", rule.Source);
        Append(text, "-d", rule.Destination);
        if (rule.Mark != MarkMatch.None) text.Append("-m mark --mark 0x4000").Append(rule.Mark == MarkMatch.Bit ? "/0x4000 " : " ");
        if (rule.Comment is { } comment) text.Append("-m comment --comment \"").Append(comment).Append("\" ");
        text.Append("-j ").Append(rule.Verdict switch
        {
            FirewallVerdict.Return => "RETURN",
            FirewallVerdict.Accept => "ACCEPT",
            FirewallVerdict.Masquerade => rule.IsFullyRandom ? "MASQUERADE --random-fully" : "MASQUERADE",
            _ => rule.Target,
        });
        return text.ToString();
    }

    /// <summary>Reads what <see cref="Format"/> writes, as iptables-save prints it.</summary>
    /// <returns>Null for a rule that says anything else: it is not flannel's.</returns>
    internal static FirewallRule? Parse(ReadOnlySpan<char> text)
    {
        if (!TrySplit(text, out List<string> words)) return null;
        AddressMatch? source = null, destination = null;
        MarkMatch mark = MarkMatch.None;
        string? comment = null;
        for (int i = 0; i < words.Count; i++)
        {
            bool isNegated = words[i] == "!";
            if (isNegated) i++;
            switch (words.Count - i > 1 ? (words[i], words[i + 1]) : default)
            {
                case ("-s", var address) when source is null && TryParse(address, isNegated, out source): break;
                case ("-d", var address) when destination is null && TryParse(address, isNegated, out destination): break;
                case ("-m", "mark" or "comment") when !isNegated: break;
                case ("--mark", "0x4000/0x4000") when !isNegated: mark = MarkMatch.Bit; break;
                case ("--mark", "0x4000") when !isNegated: mark = MarkMatch.Whole; break;
                case ("--comment", var said) when !isNegated: comment = said; break;
                case ("-j", var target) when !isNegated:
                    bool isFullyRandom = words[^1] == "--random-fully";
                    if (i + (isFullyRandom ? 3 : 2) != words.Count) return null;
                    FirewallVerdict verdict = target switch
                    {
                        "RETURN" => FirewallVerdict.Return,
                        "ACCEPT" => FirewallVerdict.Accept,
                        "MASQUERADE" => FirewallVerdict.Masquerade,
                        _ => FirewallVerdict.Jump,
                    };
                    return new()
                    {
                        Source = source,
                        Destination = destination,
                        Mark = mark,
                        Comment = comment,
                        Verdict = verdict,
                        IsFullyRandom = isFullyRandom,
                        Target = verdict == FirewallVerdict.Jump ? target : null,
                    };
                default: return null;
            }
            i++;
        }
        return null;
    }

    private static void Append(StringBuilder text, string option, AddressMatch? match)
    {
        if (match is not { } condition) return;
        if (condition.IsNegated) text.Append("! ");
        text.Append(option).Append(' ').Append(condition.Network).Append(' ');
    }

    private static bool TryParse(string text, bool isNegated, out AddressMatch? match)
    {
        bool isNetwork = IPNetwork.TryParse(text, out IPNetwork network);
        match = isNetwork ? new(network, isNegated) : null;
        return isNetwork;
    }

    /// <summary>Words with blanks between them; double quotes keep blanks, with a backslash before quotes and backslashes within.</summary>
    private static bool TrySplit(ReadOnlySpan<char> text, out List<string> words)
    {
        words = [];
        var word = new StringBuilder();
        bool isQuoted = false, isWord = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '"') (isQuoted, isWord) = (!isQuoted, true);
            else if (c == ' ' && !isQuoted)
            {
                if (isWord) words.Add(word.ToString());
                word.Clear();
                isWord = false;
            }
            else
            {
                if (c == '\\' && isQuoted && i + 1 < text.Length) c = text[++i];
                word.Append(c);
                isWord = true;
            }
        }
        if (isWord) words.Add(word.ToString());
        return !isQuoted;
    }
}
