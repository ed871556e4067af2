using System.Net;
using System.Text;

namespace FlannelFast.Control.Firewall;

/// <summary>Rules as nft writes and prints them.</summary>
internal static class NftText
{
    /// <summary>A rule without its chain: <c>ip saddr 10.5.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random</c>.</summary>
    internal static string Format(FirewallRule rule, bool isIpv6)
    {
        var text = new StringBuilder();
        if (rule.Mark != MarkMatch.None) text.Append(rule.Mark == MarkMatch.Bit ? "meta mark & 0x4000 == 0x4000 " : "meta mark 0x4000 ");
        Append(text, isIpv6 ? "ip6 saddr" : "ip saddr", rule.Source);
        Append(text, isIpv6 ? "ip6 daddr" : "ip daddr", rule.Destination);
        return text.Append(rule.Verdict switch
        {
            FirewallVerdict.Return => "return",
            FirewallVerdict.Accept => "accept",
            FirewallVerdict.Masquerade => rule.IsFullyRandom ? "masquerade fully-random" : "masquerade",
            _ => $"jump {rule.Target}",
        }).ToString();
    }

    /// <summary>Reads what <see cref="Format"/> writes, as nft prints it.</summary>
    /// <returns>Null for a rule that says anything else: it is not flannel's.</returns>
    internal static FirewallRule? Parse(ReadOnlySpan<char> text, bool isIpv6)
    {
        AddressMatch? source = null, destination = null;
        MarkMatch mark = MarkMatch.None;
        Words words = new(text);
        while (true)
        {
            if (words.Take(isIpv6 ? "ip6" : "ip"))
            {
                ref AddressMatch? match = ref source;
                if (words.Take("daddr")) match = ref destination;
                else if (!words.Take("saddr")) return null;
                bool isNegated = words.Take("!=");
                if (match is not null || !TryParse(words.Next(), out IPNetwork network)) return null;
                match = new(network, isNegated);
            }
            else if (words.Take("meta"))
            {
                if (mark != MarkMatch.None || !words.Take("mark") || (mark = ParseMark(ref words)) == MarkMatch.None) return null;
            }
            else
            {
                break;
            }
        }
        FirewallVerdict? verdict = words.Take("return") ? FirewallVerdict.Return : words.Take("accept") ? FirewallVerdict.Accept
            : words.Take("masquerade") ? FirewallVerdict.Masquerade : null;
        bool isFullyRandom = verdict == FirewallVerdict.Masquerade && words.Take("fully-random");
        if (verdict is null || !words.IsAtEnd) return null;
        return new() { Source = source, Destination = destination, Mark = mark, Verdict = verdict.Value, IsFullyRandom = isFullyRandom };
    }

    private static void Append(StringBuilder text, string field, AddressMatch? match)
    {
        if (match is { } condition) text.Append(field).Append(condition.IsNegated ? " != " : " ").Append(condition.Network).Append(' ');
    }

    /// <summary>nft leaves out the length of a single address.</summary>
    private static bool TryParse(ReadOnlySpan<char> text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network)) return true;
        if (!IPAddress.TryParse(text, out IPAddress? address)) return false;
        network = new(address, 8 * address.GetAddressBytes().Length);
        return true;
    }

    /// <summary>Versions of nft print the bit in three ways.</summary>
    private static MarkMatch ParseMark(ref Words words)
    {
        const string Mark = "0x00004000";
        if (words.Take("0x00004000/0x00004000")) return MarkMatch.Bit;
        if (words.Take(Mark)) return MarkMatch.Whole;
        if (!words.Take("&") || !words.Take(Mark)) return MarkMatch.None;
        return (words.Take("==") && words.Take(Mark)) || (words.Take("!=") && words.Take("0x00000000")) ? MarkMatch.Bit : MarkMatch.None;
    }

    private ref struct Words(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> _rest = text.Trim();

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public ReadOnlySpan<char> Next()
        {
            int end = _rest.IndexOf(' ');
            ReadOnlySpan<char> word = end < 0 ? _rest : _rest[..end];
            _rest = _rest[word.Length..].TrimStart();
            return word;
        }

        public bool Take(string word)
        {
            Words ahead = this;
            if (!ahead.Next().SequenceEqual(word)) return false;
            this = ahead;
            return true;
        }
    }
}
