using System.Diagnostics;
using FlannelFast.Control.Firewall;

namespace FlannelFast.Control.Tests.Firewall;

/// <summary>Both variants of the real iptables, in a network namespace.</summary>
public sealed class IptablesFirewallTests
{
    private static readonly string[] s_postrouting = Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24");
    private static readonly string[] s_forward = Rules.Forward("10.5.0.0/16");

    [Theory]
    [InlineData("legacy")]
    [InlineData("nft")]
    public async Task The_rules_are_those_that_stocks_own_test_compares(string variant)
    {
        using FirewallHost host = new(variant);
        IptablesFirewall firewall = New(host);
        Assert.Equal(
            ["FLANNEL-POSTRTG made", "jump from POSTROUTING set", "FLANNEL-FWD made", "jump from FORWARD set"], await Ensure(firewall, Rules.Ipv4));
        AssertStand(host);
        Assert.Equal(4, (await Ensure(firewall, Rules.Ipv6)).Count);
        Assert.Equal(Rules.Postrouting("fc00::/48", "fc00:0:0:1::/64", "ff00::/8"), host.Lines("ip6tables -t nat -S FLANNEL-POSTRTG"));
        Assert.Equal(Rules.Forward("fc00::/48"), host.Lines("ip6tables -S FLANNEL-FWD"));
        Assert.Equal(["-P FORWARD ACCEPT", Rules.ForwardJump], host.Lines("ip6tables -S FORWARD"));

        host.Started.Clear();
        string before = host.Shell("iptables-save -c; ip6tables-save -c");
        Assert.Empty(await Ensure(firewall, Rules.Ipv4));
        Assert.Empty(await Ensure(firewall, Rules.Ipv6));
        // Counters too: nothing was put in the place of itself. And nobody took the lock.
        Assert.Equal(RulesOnly(before), RulesOnly(host.Shell("iptables-save -c; ip6tables-save -c")));
        Assert.Equal(["iptables-save -t nat", "iptables-save -t filter", "ip6tables-save -t nat", "ip6tables-save -t filter"], host.Started);
    }

    [Theory]
    [InlineData("legacy", "iptables -t nat -F")]
    [InlineData("legacy", "iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X")]
    [InlineData("legacy", "iptables -t nat -D FLANNEL-POSTRTG 3")]
    [InlineData("legacy", "iptables -t nat -A FLANNEL-POSTRTG -s 10.5.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully")]
    [InlineData("legacy", "iptables -t nat -D FLANNEL-POSTRTG 2; iptables -t nat -A FLANNEL-POSTRTG -s 10.5.72.0/24 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j RETURN")]
    [InlineData("legacy", "iptables -t nat -I POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG")]
    [InlineData("legacy", "iptables -I FLANNEL-FWD -j DROP; iptables -F FORWARD")]
    [InlineData("nft", "iptables -t nat -F")]
    [InlineData("nft", "iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X")]
    [InlineData("nft", "nft flush ruleset")]
    [InlineData("nft", "iptables -t nat -D FLANNEL-POSTRTG 3")]
    [InlineData("nft", "iptables -t nat -A FLANNEL-POSTRTG -s 10.5.0.0/16 ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully")]
    [InlineData("nft", "iptables -t nat -D FLANNEL-POSTRTG 2; iptables -t nat -A FLANNEL-POSTRTG -s 10.5.72.0/24 -d 10.5.0.0/16 -m comment --comment \"flanneld masq\" -j RETURN")]
    [InlineData("nft", "iptables -t nat -I POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG")]
    [InlineData("nft", "iptables -I FLANNEL-FWD -j DROP; iptables -F FORWARD")]
    public async Task Damage_is_repaired(string variant, string damage)
    {
        using FirewallHost host = new(variant);
        IptablesFirewall firewall = New(host);
        await Ensure(firewall, Rules.Ipv4);
        host.Shell(damage);
        Assert.NotEmpty(await Ensure(firewall, Rules.Ipv4, isStart: false));
        AssertStand(host);
        Assert.Empty(await Ensure(firewall, Rules.Ipv4, isStart: false));
    }

    [Theory]
    [InlineData("legacy")]
    [InlineData("nft")]
    public async Task Rules_of_others_stay_as_they_are(string variant)
    {
        using FirewallHost host = new(variant);
        host.Shell("""
            iptables -t nat -N DOCKER; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
            iptables -t nat -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j DOCKER
            iptables -t nat -A DOCKER -s 10.5.0.0/16 -m mark ! --mark 0x1 -j RETURN
            iptables -A FORWARD -s 10.5.1.0/24 -p tcp --dport 80 -j DROP; iptables -P FORWARD DROP
            iptables -t mangle -A PREROUTING -s 10.5.0.0/16 -j MARK --set-mark 7
            """);
        string[] before = Saved();
        IptablesFirewall firewall = New(host);
        await Ensure(firewall, Rules.Ipv4);
        Assert.Equal(before, Saved().Where(line => !line.Contains("FLANNEL", StringComparison.Ordinal)).ToArray());
        Assert.NotEmpty(await firewall.RemoveAsync(Rules.Ipv4, TestContext.Current.CancellationToken));
        Assert.Equal(before, Saved());

        string[] Saved() => RulesOnly(host.Shell("iptables-save"));
    }

    public static TheoryData<string, string, string> OldFlannels
    {
        get
        {
            TheoryData<string, string, string> data = [];
            foreach (TheoryDataRow<string, string> row in Rules.OldFlannels)
            {
                data.Add("legacy", row.Data.Item1, row.Data.Item2);
                data.Add("nft", row.Data.Item1, row.Data.Item2);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(OldFlannels))]
    public async Task Rules_of_an_old_flannel_are_replaced(string variant, string version, string rules)
    {
        Assert.NotEmpty(version);
        using FirewallHost host = new(variant);
        host.Shell($"iptables -t nat -A POSTROUTING -j ACCEPT; iptables-restore --noflush <<X\n{rules}X\n");
        Assert.NotEmpty(await Ensure(New(host), Rules.Ipv4));
        Assert.Equal(s_postrouting, host.Lines("iptables -t nat -S FLANNEL-POSTRTG"));
        Assert.Equal(s_forward, host.Lines("iptables -S FLANNEL-FWD"));
        Assert.Equal(
            new[] { "-P POSTROUTING ACCEPT", "-A POSTROUTING -j ACCEPT", Rules.MasqueradeJump }.Order(), host.Lines("iptables -t nat -S POSTROUTING").Order());
        Assert.Equal(["-P FORWARD ACCEPT", Rules.ForwardJump], host.Lines("iptables -S FORWARD"));
    }

    [Theory]
    [InlineData("legacy", "0.0.0.0/0", "10.5.72.0/24")]
    [InlineData("nft", "0.0.0.0/0", "10.5.72.0/24")]
    [InlineData("legacy", "::/0", "fc00:0:0:1::/64")]
    [InlineData("nft", "::/0", "fc00:0:0:1::/64")]
    [InlineData("legacy", "10.5.0.0/29", "10.5.0.1/32")]
    [InlineData("nft", "10.5.0.0/29", "10.5.0.1/32")]
    [InlineData("nft", "::ffff:0:0/96", "::ffff:1.2.3.0/120")]
    public async Task Unusual_networks_are_recognised_too(string variant, string network, string subnet)
    {
        using FirewallHost host = new(variant);
        IptablesFirewall firewall = New(host);
        Assert.Equal(4, (await Ensure(firewall, Rules.New(network, subnet))).Count);
        Assert.Empty(await Ensure(firewall, Rules.New(network, subnet)));
    }

    [Theory]
    [InlineData("legacy")]
    [InlineData("nft")]
    public async Task At_no_moment_a_rule_is_missing_while_they_are_replaced(string variant)
    {
        using FirewallHost host = new(variant);
        IptablesFirewall firewall = New(host);
        RuleSet[] sets = [Rules.Ipv4, Rules.New("10.5.0.0/16", "10.5.73.0/24")];
        string[] subnets = ["10.5.72.0/24", "10.5.73.0/24"];
        await Ensure(firewall, sets[0]);
        using CancellationTokenSource stop = new();
        Task<int> sampler = Task.Run(() =>
        {
            int samples = 0;
            while (!stop.IsCancellationRequested)
            {
                // One reading of one table in the kernel, which is what packets meet.
                string[] lines = RulesOnly(host.Shell("iptables-save -t nat"));
                Assert.Contains(Rules.MasqueradeJump, lines);
                string[] chain = [.. lines.Where(line => line.StartsWith("-A FLANNEL", StringComparison.Ordinal))];
                Assert.Contains(chain, subnets.Select(subnet => Rules.Postrouting("10.5.0.0/16", subnet)[1..]));
                samples++;
            }
            return samples;
        }, TestContext.Current.CancellationToken);
        for (int i = 1; i <= 40; i++)
        {
            Assert.Equal(["FLANNEL-POSTRTG set right"], await Ensure(firewall, sets[i % 2]));
            // As a restart does: everything again, with nothing to do.
            Assert.Empty(await Ensure(New(host), sets[i % 2]));
        }
        await stop.CancelAsync();
        int taken = await sampler;
        Assert.True(taken > 50, $"{taken} samples");
    }

    [Fact]
    public async Task A_rule_that_vanishes_between_looking_and_deleting_is_no_error()
    {
        using FirewallHost host = new("legacy");
        host.Shell("iptables -t nat -A POSTROUTING -s 10.5.0.0/16 -d 10.5.0.0/16 -j RETURN");
        host.Before = ("iptables-restore", "iptables -t nat -F POSTROUTING");
        Assert.NotEmpty(await Ensure(New(host), Rules.Ipv4));
        AssertStand(host);
    }

    [Fact]
    public async Task A_held_lock_keeps_nobody_from_looking_and_bounds_what_is_waited()
    {
        using FirewallHost host = new("legacy");
        IptablesFirewall firewall = New(host);
        await Ensure(firewall, Rules.Ipv4);
        using Process holder = Process.Start("flock", [host.LockFile, "sleep", "10"]);
        try
        {
            await Task.Delay(200, TestContext.Current.CancellationToken);
            long started = Stopwatch.GetTimestamp();
            Assert.Empty(await Ensure(firewall, Rules.Ipv4));
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(2));

            // Whoever flushes holds the lock himself, or does not care for it.
            host.Shell("XTABLES_LOCKFILE=/dev/null iptables -t nat -F");
            started = Stopwatch.GetTimestamp();
            FirewallException e = await Assert.ThrowsAsync<FirewallException>(() => Ensure(firewall, Rules.Ipv4));
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(6));
            Assert.StartsWith("iptables-restore --noflush --wait 1: ", e.Message, StringComparison.Ordinal);
            Assert.Contains("lock", e.Message, StringComparison.Ordinal);
            Assert.Single(e.Message.Split('\n'));
        }
        finally
        {
            holder.Kill(entireProcessTree: true);
            await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        Assert.NotEmpty(await Ensure(firewall, Rules.Ipv4));
        AssertStand(host);
    }

    [Theory]
    [InlineData("v1.4.21", "--noflush", false)]
    [InlineData("v1.6.1", "--noflush", false)]
    [InlineData("v1.6.2", "--noflush --wait 1", true)]
    [InlineData("v1.8.9 (nf_tables)", "--noflush --wait 1", true)]
    public async Task What_a_version_does_not_know_it_is_not_asked_for(string version, string arguments, bool isFullyRandom)
    {
        using FirewallHost host = new("legacy");
        host.Uninstall("iptables");
        string script = Path.Combine(Path.GetDirectoryName(host.LockFile)!, "fake");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\necho 'iptables {version}'\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        host.Link("iptables", script);
        await Ensure(New(host), Rules.Ipv4);
        Assert.Equal($"iptables-restore {arguments}", host.Started[^1]);
        Assert.Equal(isFullyRandom, host.Shell("iptables-save -t nat").Contains("--random-fully", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_that_is_missing_is_named()
    {
        using FirewallHost host = new(null);
        FirewallException e = await Assert.ThrowsAsync<FirewallException>(() => Ensure(New(host), Rules.Ipv4));
        Assert.True(e.IsMissing);
        Assert.StartsWith("iptables is not installed (searched ", e.Message, StringComparison.Ordinal);
        // A family that the cluster does not have asks for no program.
        Assert.Empty(await Ensure(New(host), Rules.Ipv6 with { Network = null, Subnet = null }));
    }

    private static IptablesFirewall New(FirewallHost host) => new(host, TimeSpan.FromSeconds(1));

    private static Task<IReadOnlyList<string>> Ensure(IptablesFirewall firewall, RuleSet rules, bool isStart = true) =>
        firewall.EnsureAsync(rules, isStart, TestContext.Current.CancellationToken);

    private static void AssertStand(FirewallHost host)
    {
        Assert.Equal(s_postrouting, host.Lines("iptables -t nat -S FLANNEL-POSTRTG"));
        Assert.Equal(["-P POSTROUTING ACCEPT", Rules.MasqueradeJump], host.Lines("iptables -t nat -S POSTROUTING"));
        Assert.Equal(s_forward, host.Lines("iptables -S FLANNEL-FWD"));
        Assert.Equal(["-P FORWARD ACCEPT", Rules.ForwardJump], host.Lines("iptables -S FORWARD"));
    }

    private static string[] RulesOnly(string saved) => [.. saved.Split('\n').Where(line => !line.StartsWith('#') && !line.StartsWith(':') && !line.StartsWith('*') && line is not ("COMMIT" or ""))];
}
