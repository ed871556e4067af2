using System.Net;
using FlannelFast.Control.Files;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Firewall;

public sealed class FirewallKeeperTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _log = new(LogLevel.Trace);
    private readonly FakeFirewall _firewall = new("iptables"), _other = new("nftables");
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task Looks_every_period_and_tells_of_repairs_only()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true, Resync = TimeSpan.FromSeconds(5) });
        _firewall.Changes.Enqueue(["made"]);
        Assert.False(keeper.Status.IsInPlace);
        Assert.True(await keeper.EnsureAsync(_stop.Token));
        Assert.Equal(["Information: iptables: made"], _log.Lines);
        Assert.Equal(new("iptables", true, 0, null, null, null), keeper.Status);
        Assert.Equal(["start 10.5.72.0/24", "start -"], _firewall.Calls);
        Assert.Equal(["remove 10.5.72.0/24", "remove -"], _other.Calls);

        Task loop = keeper.RunAsync(_stop.Token);
        for (int i = 1; i < 10; i++)
        {
            Assert.Equal(TimeSpan.FromSeconds(5), _time.UntilNextTimer);
            _time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(2 + (2 * i), _firewall.Calls.Count);
        }
        Assert.Equal("10.5.72.0/24", _firewall.Calls[^2]);
        Assert.Single(_log.Lines);
        Assert.Equal(2, _other.Calls.Count);

        _firewall.Changes.Enqueue(["FLANNEL-POSTRTG set right", "jump set"]);
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal("Warning: iptables: the rules were not as they were left; FLANNEL-POSTRTG set right, jump set", _log.Lines[^1]);
        Assert.Equal(new("iptables", true, 1, TimeSpan.FromSeconds(3), "FLANNEL-POSTRTG set right, jump set", null), keeper.Status);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        // Nothing was removed at the end.
        Assert.DoesNotContain(_firewall.Calls, call => call.StartsWith("remove", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failure_is_told_once_and_ends_when_it_ends()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true });
        _firewall.Failure = new("iptables is not installed", isMissing: true);
        Assert.False(await keeper.EnsureAsync(_stop.Token));
        Task loop = keeper.RunAsync(_stop.Token);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["Error: iptables: the rules cannot be set, trying again every 5 s: iptables is not installed"], _log.Lines);
        Assert.Equal(new("iptables", false, 0, null, null, "iptables is not installed"), keeper.Status);
        // The other manager's rules serve until ours stand; a family in which nothing is wanted needs no iptables.
        Assert.Equal(["remove -"], _other.Calls);
        _firewall.Failure = null;
        _firewall.Changes.Enqueue(["made"]);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["Information: iptables: made", "Information: iptables: the rules can be set again"], _log.Lines[1..]);
        Assert.True(keeper.Status is { IsInPlace: true, LastError: null, Repairs: 0 });
        Assert.Equal("remove 10.5.72.0/24", _other.Calls[^1]);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    [Fact]
    public async Task What_is_not_wanted_on_a_host_without_iptables_is_no_error()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = false, Forward = false });
        _firewall.Failure = new("iptables is not installed", isMissing: true);
        _other.Failure = new("nft is not installed", isMissing: true);
        Assert.True(await keeper.EnsureAsync(_stop.Token));
        Assert.Empty(_log.Lines);
        Assert.True(keeper.Status.IsInPlace);
        await keeper.EnsureAsync(_stop.Token);
        Assert.Equal(2, _other.Calls.Count);
    }

    [Fact]
    public async Task What_the_other_manager_left_is_tried_again_until_it_is_gone()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true });
        _other.Failure = new("nft: busy");
        await keeper.EnsureAsync(_stop.Token);
        await keeper.EnsureAsync(_stop.Token);
        Assert.Equal(
            ["Information: iptables: the rules of IPv4 stand already", "Warning: nftables: rules of an earlier run, if there are any, cannot be removed, trying 10 times: nft: busy"], _log.Lines);
        Assert.True(keeper.Status.IsInPlace);
        _other.Failure = null;
        _other.Changes.Enqueue(["table deleted"]);
        await keeper.EnsureAsync(_stop.Token);
        Assert.Equal("Information: nftables: rules of an earlier run removed, iptables has them now: table deleted", _log.Lines[^1]);
        int calls = _other.Calls.Count;
        await keeper.EnsureAsync(_stop.Token);
        Assert.Equal(calls, _other.Calls.Count);
    }

    [Fact]
    public async Task A_manager_that_never_works_is_left_alone_after_a_while()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true });
        _other.Failure = new("iptables-save: Table does not exist");
        for (int i = 0; i < 30; i++) await keeper.EnsureAsync(_stop.Token);
        Assert.Equal(20, _other.Calls.Count);
        Assert.Equal(2, _log.Lines.Length);
    }

    [Fact]
    public async Task Another_subnet_is_followed_at_once()
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true });
        await keeper.EnsureAsync(_stop.Token);
        await keeper.FollowAsync(new(IPNetwork.Parse("10.5.80.0/24")), _stop.Token);
        Assert.Equal(["start 10.5.80.0/24", "start -"], _firewall.Calls[^2..]);
        await keeper.EnsureAsync(_stop.Token);
        Assert.Equal(["10.5.80.0/24", "-"], _firewall.Calls[^2..]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task A_period_of_nothing_is_a_second(int seconds)
    {
        using FirewallKeeper keeper = New(new() { Masquerade = true, Resync = TimeSpan.FromSeconds(seconds) });
        Task loop = keeper.RunAsync(_stop.Token);
        Assert.Equal(TimeSpan.FromSeconds(1), _time.UntilNextTimer);
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
    }

    [Theory]
    [InlineData(false, "legacy")]
    [InlineData(false, "nft")]
    [InlineData(true, "legacy")]
    [InlineData(true, "nft")]
    public async Task On_a_real_host_one_manager_takes_over_from_the_other(bool nftables, string variant)
    {
        using FirewallHost host = new(variant);
        FirewallOptions options = new() { Masquerade = true };
        CancellationToken cancel = TestContext.Current.CancellationToken;
        using NetlinkClient netlink = host.Within(() => new NetlinkClient());
        FirewallSettings old = Rules.Settings(Rules.Config(!nftables, ipv6: "fc00::/48"), "10.5.9.0/24", options);
        using (FirewallKeeper before = old.CreateKeeper(netlink.Routes, host, TimeProvider.System, _log)) Assert.True(await before.EnsureAsync(cancel));
        host.Shell("iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j RETURN; nft add table ip mine");

        // Another subnet, another manager, and IPv6 is gone from the config.
        string file = "FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.9.1/24\nFLANNEL_IPV6_NETWORK=fc00::/48\nFLANNEL_IPV6_SUBNET=fc00:0:0:1::1/64\n";
        FirewallSettings settings = Rules.Settings(Rules.Config(nftables), "10.5.72.0/24", options, file);
        using FirewallKeeper keeper = settings.CreateKeeper(netlink.Routes, host, TimeProvider.System, _log);
        Assert.True(await keeper.EnsureAsync(cancel));
        Assert.Equal(nftables ? "nftables" : "iptables", keeper.Status.Mode);
        string nft = host.Shell("nft list tables"), saved = host.Shell("iptables-save; ip6tables-save");
        Assert.Contains("-s 192.0.2.0/24 -j RETURN", saved, StringComparison.Ordinal);
        Assert.Contains("table ip mine", nft, StringComparison.Ordinal);
        if (nftables)
        {
            Assert.DoesNotContain("FLANNEL", saved, StringComparison.Ordinal);
            Assert.Equal(Rules.NftPostrouting("10.5.0.0/16", "10.5.72.0/24"), host.Shell("nft list chain ip flannel-ipv4 postrtg"));
            Assert.DoesNotContain("fc00", host.Shell("nft list ruleset"), StringComparison.Ordinal);
        }
        else
        {
            Assert.DoesNotContain("flannel-ip", nft, StringComparison.Ordinal);
            Assert.Equal(Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24"), host.Lines("iptables -t nat -S FLANNEL-POSTRTG"));
            Assert.DoesNotContain("FLANNEL", host.Shell("ip6tables-save"), StringComparison.Ordinal);
        }
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_a_real_host_a_flush_is_repaired_within_the_period()
    {
        using FirewallHost host = new("legacy");
        using NetlinkClient netlink = host.Within(() => new NetlinkClient());
        FirewallSettings settings = Rules.Settings(Rules.Config(), "10.5.72.0/24", new() { Masquerade = true, Resync = TimeSpan.FromSeconds(1) });
        using FirewallKeeper keeper = settings.CreateKeeper(netlink.Routes, host, TimeProvider.System, _log);
        await keeper.EnsureAsync(_stop.Token);
        Task loop = keeper.RunAsync(_stop.Token);
        for (int i = 1; i <= 3; i++)
        {
            host.Shell("iptables -t nat -F; iptables -F");
            for (int waited = 0; keeper.Status.Repairs < i && waited < 2500; waited += 10) await Task.Delay(10, _stop.Token);
            Assert.Equal(Rules.Postrouting("10.5.0.0/16", "10.5.72.0/24"), host.Lines("iptables -t nat -S FLANNEL-POSTRTG"));
        }
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        Assert.Equal(Rules.Forward("10.5.0.0/16"), host.Lines("iptables -S FLANNEL-FWD"));
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _log.Dispose();
    }

    private FirewallKeeper New(FirewallOptions options) => new(
        _firewall, _other, null, Rules.Settings(Rules.Config(), "10.5.72.0/24", options), _time, _log);

    /// <summary>Keeps what it was asked and changes what it is told to have changed.</summary>
    private sealed class FakeFirewall(string mode) : IFirewall
    {
        public string Mode => mode;

        public List<string> Calls { get; } = [];

        public Queue<string[]> Changes { get; } = [];

        public FirewallException? Failure { get; set; }

        public Task<IReadOnlyList<string>> EnsureAsync(RuleSet rules, bool isStart, CancellationToken cancel) => Answer($"{(isStart ? "start " : "")}{rules.Subnet?.ToString() ?? "-"}");

        public Task<IReadOnlyList<string>> RemoveAsync(RuleSet rules, CancellationToken cancel) => Answer($"remove {rules.Subnet?.ToString() ?? "-"}");

        private Task<IReadOnlyList<string>> Answer(string call)
        {
            Calls.Add(call);
            if (Failure is not null) return Task.FromException<IReadOnlyList<string>>(Failure);
            return Task.FromResult<IReadOnlyList<string>>(Changes.TryDequeue(out string[]? changes) ? changes : []);
        }
    }
}
