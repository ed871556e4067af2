using System.Net;
using FlannelFast.Control.Files;
using FlannelFast.Control.Firewall;

namespace FlannelFast.Control.Tests.Firewall;

public sealed class RuleSetTests
{
    [Fact]
    public void Iptables_rules_are_those_of_stock()
    {
        Check(Rules.Ipv4, Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24"), Rules.Forward("10.5.0.0/16"));
        Check(Rules.Ipv6, Rules.Postrouting("fc00::/48", "fc00:0:0:1::/64", "ff00::/8"), Rules.Forward("fc00::/48"));
        Check(Rules.Ipv4 with { IsFullyRandom = false }, Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24", fully: ""), Rules.Forward("10.5.0.0/16"));
        Check(Rules.Ipv4 with { WantsMasquerade = false }, [], Rules.Forward("10.5.0.0/16"));
        Check(Rules.Ipv4 with { WantsForward = false }, Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24"), []);
        Check(Rules.Ipv4 with { Network = null, Subnet = null }, [], []);

        static void Check(RuleSet rules, string[] masquerade, string[] forward)
        {
            Assert.Equal(masquerade.Skip(1), rules.Masquerade().Select(rule => $"-A FLANNEL-POSTRTG {IptablesText.Format(rule)}"));
            Assert.Equal(forward.Skip(1), rules.Forward().Select(rule => $"-A FLANNEL-FWD {IptablesText.Format(rule)}"));
        }
    }

    [Fact]
    public void Nft_rules_are_those_of_stock()
    {
        Check(Rules.Ipv4, Rules.NftPostrouting("10.5.0.0/16", "10.5.72.0/24"), Rules.NftForward("10.5.0.0/16"));
        Check(Rules.Ipv6, Rules.NftPostrouting("fc00::/48", "fc00:0:0:1::/64", "ip6", "ff00::/8"), Rules.NftForward("fc00::/48", "ip6"));
        Check(Rules.Ipv4 with { IsFullyRandom = false }, Rules.NftPostrouting("10.5.0.0/16", "10.5.72.0/24", fully: ""), Rules.NftForward("10.5.0.0/16"));

        static void Check(RuleSet rules, params string[] listings)
        {
            NftChain[] chains = NftChain.Of(rules);
            Assert.Equal(["postrtg", "postrtg-outside", "forward"], chains.Select(chain => chain.Name));
            for (int i = 0; i < 2; i++)
            {
                string[] lines = [.. listings[i].Split('\n').Where(l => l.StartsWith("\t\t", StringComparison.Ordinal)).Skip(2).Select(l => l.Trim().Replace("0x00004000", "0x4000"))];
                Assert.Equal(lines, chains[2 * i].Rules.Select(rule => NftText.Format(rule, rules.IsIpv6)));
            }
        }
    }

    [Fact]
    public void The_rule_that_is_dead_in_stocks_nft_mode_lives_in_a_chain_of_its_own() => Assert.Equal(
        [
            "meta mark & 0x4000 == 0x4000 return",
            "ip saddr != 10.5.0.0/16 ip daddr 10.5.72.0/24 return",
            "ip saddr != 10.5.0.0/16 ip daddr 10.5.0.0/16 masquerade fully-random",
        ],
        NftChain.Of(Rules.Ipv4)[1].Rules.Select(rule => NftText.Format(rule, isIpv6: false)));

    [Theory]
    [InlineData("0.0.0.0/0", "10.5.72.0/24")]
    [InlineData("::/0", "fc00:0:0:1::/64")]
    public void A_network_of_all_addresses_makes_no_condition(string network, string subnet)
    {
        RuleSet rules = Rules.New(network, subnet);
        string[] text = [.. rules.Masquerade().Select(IptablesText.Format)];
        Assert.Equal(4, text.Length);
        Assert.All(text, line => Assert.DoesNotContain($" {network}", line, StringComparison.Ordinal));
        Assert.Equal(["-m comment --comment \"flanneld forward\" -j ACCEPT"], rules.Forward().Select(IptablesText.Format));
        Assert.Equal([4, 0, 1], NftChain.Of(rules).Select(chain => chain.Rules.Count));
    }

    [Fact]
    public void Every_rule_is_read_back_as_it_was_written()
    {
        foreach (RuleSet rules in new[] { Rules.Ipv4, Rules.Ipv6, Rules.Ipv4 with { IsFullyRandom = false }, Rules.New("0.0.0.0/0", "10.5.72.4/32") })
        {
            foreach (FirewallRule rule in rules.Masquerade().Concat(rules.Forward()).Append(IptablesTable.Nat.Jump))
                Assert.Equal(rule, IptablesText.Parse(IptablesText.Format(rule)));
            foreach (FirewallRule rule in NftChain.Of(rules).SelectMany(chain => chain.Rules))
                Assert.Equal(rule, NftText.Parse(NftText.Format(rule, rules.IsIpv6).Replace("0x4000", "0x00004000"), rules.IsIpv6));
        }
    }

    [Theory]
    [InlineData("-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")]
    [InlineData("-s 10.5.0.0/16 -d 10.5.0.0/16 -p tcp -j RETURN")]
    [InlineData("-s 10.5.0.0/16 -j MASQUERADE --to-ports 1024-65535")]
    [InlineData("-s 10.5.0.0/16 -j SNAT --to-source 192.0.2.1")]
    [InlineData("-m comment --comment \"kubernetes postrouting rules\"")]
    [InlineData("-m comment ! --comment \"x\" -j RETURN")]
    [InlineData("-m mark ! --mark 0x4000/0x4000 -j RETURN")]
    [InlineData("-m mark --mark 0x8000/0x8000 -j RETURN")]
    [InlineData("-s 10.5.0.0/16 -s 10.6.0.0/16 -j RETURN")]
    [InlineData("-s host.example -j RETURN")]
    [InlineData("-m comment --comment \"never closed -j RETURN")]
    [InlineData("-j")]
    [InlineData("!")]
    [InlineData("")]
    public void Rules_that_say_more_are_not_flannels(string text)
    {
        FirewallRule? rule = IptablesText.Parse(text);
        Assert.True(rule is null or { Verdict: FirewallVerdict.Jump, Target: "SNAT" }, $"{rule}");
    }

    [Theory]
    [InlineData("ip saddr 10.5.0.0/16 tcp dport 80 accept")]
    [InlineData("ip saddr 10.5.0.0/16 counter packets 0 bytes 0 accept")]
    [InlineData("ip saddr 10.5.0.0/16 masquerade to :1024-65535")]
    [InlineData("ip saddr { 10.5.0.0/16, 10.6.0.0/16 } accept")]
    [InlineData("ip saddr 10.5.0.0/16 ip saddr 10.6.0.0/16 accept")]
    [InlineData("meta mark 0x00008000 return")]
    [InlineData("meta mark & 0x00004000 == 0x00000000 return")]
    [InlineData("ip saddr")]
    [InlineData("oifname \"eth0\" masquerade")]
    [InlineData("ip6 saddr fc00::/48 accept")]
    [InlineData("")]
    public void Nft_rules_that_say_more_are_not_flannels(string text) => Assert.Null(NftText.Parse(text, isIpv6: false));

    [Theory]
    [InlineData("meta mark & 0x00004000 == 0x00004000 return", MarkMatch.Bit)]
    [InlineData("meta mark & 0x00004000 != 0x00000000 return", MarkMatch.Bit)]
    [InlineData("meta mark 0x00004000/0x00004000 return", MarkMatch.Bit)]
    [InlineData("meta mark 0x00004000 return", MarkMatch.Whole)]
    internal void Every_spelling_of_the_mark_is_read(string text, MarkMatch mark) => Assert.Equal(mark, NftText.Parse(text, isIpv6: false)?.Mark);

    [Fact]
    public void A_single_address_is_read_with_and_without_its_length() =>
        Assert.Equal(new(IPNetwork.Parse("10.5.72.4/32"), true), NftText.Parse("ip saddr != 10.5.72.4 accept", isIpv6: false)?.Source);

    [Fact]
    public void What_is_left_of_an_earlier_network_is_found_by_subnet_env()
    {
        FirewallSettings settings = Rules.Settings(
            Rules.Config(), "10.5.72.0/24", new() { Masquerade = true }, "FLANNEL_NETWORK=10.9.0.0/16\nFLANNEL_SUBNET=10.9.1.1/24\nFLANNEL_IPV6_NETWORK=fd00::/48\nFLANNEL_IPV6_SUBNET=fd00::1/64\n");
        IReadOnlyList<RuleSet> rules = settings.Rules(settings.Own, settings.Previous);
        Assert.Equal([false, true], rules.Select(set => set.IsIpv6));
        Assert.Equal([IPNetwork.Parse("10.9.0.0/16"), IPNetwork.Parse("10.9.1.0/24")], rules[0].FormerNetworks);
        Assert.Null(rules[1].Network);
        Assert.False(rules[1].IsUnknown);
        Assert.True(rules[1].IsEmpty);

        FirewallSettings same = settings with { Previous = PreviousSubnets.Parse("FLANNEL_NETWORK=10.5.0.0/16,0.0.0.0/0") };
        Assert.Empty(same.Rules(same.Own, same.Previous)[0].FormerNetworks);
        Assert.True(same.Rules(same.Own, same.Previous)[1].IsUnknown);
    }
}
