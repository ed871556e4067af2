using System.Net;
using FlannelFast.Control.Firewall;

namespace FlannelFast.Control.Tests.Firewall;

public sealed class IptablesTransactionTests
{
    private static readonly string[] s_chain = Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24")[1..];
    private static readonly string[] s_other = [.. Rules.Postrouting("10.6.0.0/16", "10.6.1.0/24")[2..]];

    [Fact]
    public void Nothing_there_becomes_everything() => Assert.Equal(
        $"*nat\n:FLANNEL-POSTRTG - [0:0]\n{Lines(s_chain)}{Rules.MasqueradeJump}\nCOMMIT\n", Text(Nat([":POSTROUTING ACCEPT [0:0]"])));

    [Fact]
    public void What_is_right_stays() => Assert.Empty(Nat(Standing(s_chain)).Changes);

    [Fact]
    public void Other_rules_around_ours_do_not_matter() => Assert.Empty(Nat(
        ["-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", .. Standing(s_chain), "-A POSTROUTING -j KUBE-POSTROUTING", "-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT"]).Changes);

    [Fact]
    public void A_missing_a_doubled_a_foreign_or_a_misplaced_rule_is_set_right_in_one_step()
    {
        string expected = $"*nat\n:FLANNEL-POSTRTG - [0:0]\n{Lines(s_chain)}COMMIT\n";
        for (int i = 0; i < s_chain.Length; i++)
        {
            Assert.Equal(expected, Text(Nat(Standing([.. s_chain[..i], .. s_chain[(i + 1)..]]))));
            Assert.Equal(expected, Text(Nat(Standing([.. s_chain[..i], s_chain[i], .. s_chain[i..]]))));
            Assert.Equal(expected, Text(Nat(Standing([.. s_chain[..i], "-A FLANNEL-POSTRTG -p tcp -j ACCEPT", .. s_chain[i..]]))));
            if (i > 0) Assert.Equal(expected, Text(Nat(Standing([.. s_chain[..(i - 1)], s_chain[i], s_chain[i - 1], .. s_chain[(i + 1)..]]))));
        }
    }

    [Fact]
    public void The_jump_stands_once()
    {
        string[] standing = Standing(s_chain);
        Assert.Equal($"*nat\n{Rules.MasqueradeJump}\nCOMMIT\n", Text(Nat([.. standing.Where(line => line != Rules.MasqueradeJump)])));
        string delete = Rules.MasqueradeJump.Replace("-A", "-D");
        Assert.Equal($"*nat\n{delete}\n{delete}\nCOMMIT\n", Text(Nat([.. standing, Rules.MasqueradeJump, Rules.MasqueradeJump])));
        Assert.Equal("*nat\n-D POSTROUTING -j FLANNEL-POSTRTG\nCOMMIT\n", Text(Nat([.. standing, "-A POSTROUTING -j FLANNEL-POSTRTG"])));
        // Inserted by 0.20 in front of all others: as good as appended.
        Assert.Empty(Nat([Rules.MasqueradeJump, .. standing.Where(line => line != Rules.MasqueradeJump), "-A POSTROUTING -j KUBE-POSTROUTING"]).Changes);
    }

    [Fact]
    public void Another_flannel_daemon_keeps_its_rules_in_the_same_chain()
    {
        string[] both = [s_chain[0], .. s_other, .. s_chain[1..]];
        Assert.Empty(Nat(Standing(both)).Changes);
        Assert.Empty(Nat(Standing([s_chain[0], .. s_chain[1..], .. s_other])).Changes);
        Assert.Equal($"*nat\n:FLANNEL-POSTRTG - [0:0]\n{Lines(both)}COMMIT\n", Text(Nat(Standing([.. s_other, s_chain[0], s_chain[3], s_chain[2]]))));
        // Both want the rule about the mark; neither takes it from the other, and neither puts a second one.
        Assert.Empty(Nat(Standing(both), Rules.New("10.6.0.0/16", "10.6.1.0/24")).Changes);
    }

    [Fact]
    public void What_is_not_wanted_goes_with_chain_and_jump()
    {
        RuleSet none = Rules.Ipv4.Without;
        Assert.Equal(
            $"*nat\n:FLANNEL-POSTRTG - [0:0]\n{Rules.MasqueradeJump.Replace("-A", "-D")}\n-X FLANNEL-POSTRTG\nCOMMIT\n", Text(Nat(Standing(s_chain), none)));
        Assert.Empty(Nat([], none).Changes);
        Assert.Empty(Nat(Standing([s_chain[0], .. s_other]), none).Changes);
        Assert.Equal($"*nat\n:FLANNEL-POSTRTG - [0:0]\n{Lines([s_chain[0], .. s_other])}COMMIT\n", Text(Nat(Standing([.. s_chain, .. s_other]), none)));
        Assert.Equal(
            "*nat\n:FLANNEL-POSTRTG - [0:0]\n" + Rules.MasqueradeJump.Replace("-A", "-D") + "\nCOMMIT\n",
            Text(Nat([.. Standing(s_chain), "-A KUBE-POSTROUTING -j FLANNEL-POSTRTG"], none)));
    }

    [Theory]
    [MemberData(nameof(Rules.OldFlannels), MemberType = typeof(Rules))]
    public void Rules_of_old_flannels_go_when_ours_come(string version, string restore)
    {
        Assert.NotEmpty(version);
        string[] found = [.. restore.Replace("-I ", "-A ").Split('\n').Where(line => line.StartsWith('-') || line.StartsWith(':'))];
        foreach (IptablesTable table in new[] { IptablesTable.Nat, IptablesTable.Filter })
        {
            string text = Of(table, found, Rules.Ipv4).Text(table);
            string[] old = [.. found.Where(line => line.StartsWith($"-A {table.Hook} ", StringComparison.Ordinal) && !line.EndsWith(table.Chain, StringComparison.Ordinal))];
            Assert.Equal(old.Select(line => line.Replace("-A", "-D")), text.Split('\n').Where(line => line.StartsWith("-D", StringComparison.Ordinal)));
        }
        // The same rules of a network that is not ours, neither now nor before, are another flannel's.
        RuleSet elsewhere = Rules.New("10.77.0.0/16", "10.77.1.0/24");
        Assert.DoesNotContain("-D", Text(Of(IptablesTable.Nat, found, elsewhere)), StringComparison.Ordinal);
        RuleSet moved = elsewhere with { FormerNetworks = [IPNetwork.Parse("10.5.0.0/16")] };
        string cleaned = Text(Of(IptablesTable.Nat, found, moved));
        Assert.Equal(found.Count(line => line.StartsWith("-A POSTROUTING", StringComparison.Ordinal) && !line.EndsWith("POSTRTG", StringComparison.Ordinal)), cleaned.Split("-D ").Length - 1);
        Assert.DoesNotContain("-A FLANNEL-POSTRTG -s 10.5.0.0/16", cleaned, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -j MASQUERADE")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -d 10.7.0.0/16 -j RETURN")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 ! -d 10.0.0.0/8 -j MASQUERADE")]
    [InlineData("-A POSTROUTING ! -s 10.5.0.0/16 -d 10.6.0.0/24 -j RETURN")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -m comment --comment mine -j RETURN")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -o eth0 -j RETURN")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT")]
    [InlineData("-A POSTROUTING -s 10.5.0.0/16 -m comment --comment \"flanneld forward\" -j ACCEPT")]
    [InlineData("-A POSTROUTING -m mark --mark 0x4000/0x4000 -j RETURN")]
    public void Rules_of_the_administrator_about_our_network_stay(string rule) => Assert.Empty(Nat([.. Standing(s_chain), rule]).Changes);

    private static string[] Standing(string[] chain) => [":POSTROUTING ACCEPT [0:0]", ":FLANNEL-POSTRTG - [0:0]", Rules.MasqueradeJump, .. chain];

    private static IptablesTransaction Nat(string[] found, RuleSet? rules = null) => Of(IptablesTable.Nat, found, rules ?? Rules.Ipv4);

    private static IptablesTransaction Of(IptablesTable table, string[] found, RuleSet rules) =>
        IptablesTransaction.Of(table, IptablesTableState.Parse(Lines(found), table), rules);

    private static string Text(IptablesTransaction transaction, IptablesTable? table = null)
    {
        Assert.NotEmpty(transaction.Changes);
        return transaction.Text(table ?? IptablesTable.Nat);
    }

    private static string Lines(string[] lines) => string.Concat(lines.Select(line => line + "\n"));
}
