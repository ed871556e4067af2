using FlannelFast.Control.Files;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Firewall;

/// <summary>
/// Keeps this host's rules in place: sets them at the start, looks every -iptables-resync seconds, and removes nothing at the end, so that pods go on while the daemon
/// is restarted. What fails is told once, kept for <c>status</c> and tried again; it never stops the daemon or the packets.
/// </summary>
/// <param name="firewall">The manager that the config asks for.</param>
/// <param name="other">The other one, to remove what it left; null where that need not be.</param>
/// <param name="blackhole">Blackhole routes; null without them.</param>
/// <param name="settings">What is wanted.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where repairs and failures are told.</param>
internal sealed class FirewallKeeper(
    IFirewall firewall, IFirewall? other, BlackholeRoute? blackhole, FirewallSettings settings, TimeProvider time, ILogger log) : IDisposable
{
    private const int MaxOtherFailures = 10;

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _lock = new();
    private PreviousSubnets _previous = settings.Previous;
    private LeasedSubnet _own = settings.Own;
    private Family[] _families = Family.Of(settings.Rules(settings.Own, settings.Previous));
    private bool _areRoutesStarted;
    private string? _otherError;
    private FirewallStatus _status = new(firewall.Mode, false, 0, null, null, null);
    private long _repairedAt;

    /// <summary>How it is doing now.</summary>
    internal FirewallStatus Status
    {
        get
        {
            lock (_lock) return _status.Repairs == 0 ? _status : _status with { SinceRepair = time.GetElapsedTime(_repairedAt) };
        }
    }

    private TimeSpan Interval => settings.Options.Resync < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : settings.Options.Resync;

    /// <summary>Looks once and repairs. The first call sets the rules; the daemon makes it before it writes subnet.env.</summary>
    /// <returns>Whether everything stands. If not, <see cref="Status"/> says why.</returns>
    internal async Task<bool> EnsureAsync(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            string? error = null;
            foreach (Family family in _families) error = await EnsureAsync(family, cancel).ConfigureAwait(false) ?? error;
            Report(error ?? EnsureRoutes());
            foreach (Family family in _families) if (family.IsStarted && !family.IsOtherClean) await CleanOtherAsync(family, cancel).ConfigureAwait(false);
            return Status.IsInPlace;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Looks again and again until cancelled. Ends by no other way.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(Interval, time, cancel).ConfigureAwait(false);
            await EnsureAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>This host has another subnet now: sets the rules for it and removes those of the old one, in one step.</summary>
    internal async Task FollowAsync(LeasedSubnet own, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            _previous = new()
            {
                Networks = _previous.Networks,
                Ipv6Networks = _previous.Ipv6Networks,
                Subnet = _own.Ipv4,
                Ipv6Subnet = _own.Ipv6,
            };
            _own = own;
            _families = Family.Of(settings.Rules(own, _previous));
            _areRoutesStarted = false;
        }
        finally
        {
            _turn.Release();
        }
        await EnsureAsync(cancel).ConfigureAwait(false);
    }

    public void Dispose() => _turn.Dispose();

    /// <returns>What went wrong; null if nothing did.</returns>
    private async Task<string?> EnsureAsync(Family family, CancellationToken cancel)
    {
        try
        {
            IReadOnlyList<string> changes = await firewall.EnsureAsync(family.Rules, !family.IsStarted, cancel).ConfigureAwait(false);
            Report(changes, family.IsStarted);
            if (!family.IsStarted && changes.Count == 0 && !family.Rules.IsEmpty) log.RulesStand(firewall.Mode, family.Name);
            family.IsStarted = true;
            return null;
        }
        catch (FirewallException e) when (e.IsMissing && family.Rules.IsEmpty)
        {
            // Nothing to set, and nobody who could have set anything.
            family.IsStarted = true;
            return null;
        }
        catch (FirewallException e)
        {
            return e.Message;
        }
    }

    private string? EnsureRoutes()
    {
        if (blackhole is null) return null;
        try
        {
            if (!_areRoutesStarted && _previous.Lease is { } former) Report(blackhole.Remove(former, _own), isRepair: false);
            if (settings.Options.BlackholeRoute) Report(blackhole.Ensure(_own), _areRoutesStarted);
            _areRoutesStarted = true;
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    private async Task CleanOtherAsync(Family family, CancellationToken cancel)
    {
        if (other is null) return;
        try
        {
            IReadOnlyList<string> changes = await other.RemoveAsync(family.Rules, cancel).ConfigureAwait(false);
            if (changes.Count > 0) log.OtherModeCleaned(other.Mode, firewall.Mode, string.Join(", ", changes));
            family.IsOtherClean = true;
        }
        catch (FirewallException e)
        {
            // A program that is not there has set nothing, and one that never works neither: a host may have it without the kernel's half of it.
            family.IsOtherClean = e.IsMissing || ++family.OtherFailures == MaxOtherFailures;
            if (!e.IsMissing && e.Message != _otherError) log.OtherModeRefused(other.Mode, MaxOtherFailures, _otherError = e.Message);
        }
    }

    private void Report(IReadOnlyList<string> changes, bool isRepair)
    {
        if (changes.Count == 0) return;
        string what = string.Join(", ", changes);
        if (!isRepair)
        {
            log.RulesSet(firewall.Mode, what);
            return;
        }
        log.RulesRepaired(firewall.Mode, what);
        lock (_lock)
        {
            _repairedAt = time.GetTimestamp();
            _status = _status with { Repairs = _status.Repairs + 1, LastRepair = what };
        }
    }

    private void Report(string? error)
    {
        string? before;
        lock (_lock)
        {
            before = _status.LastError;
            _status = _status with { IsInPlace = error is null, LastError = error };
        }
        if (error is not null && error != before) log.RulesRefused(firewall.Mode, Interval.TotalSeconds, error);
        else if (error is null && before is not null) log.RulesSetAgain(firewall.Mode);
    }

    /// <summary>One address family and what was done for it.</summary>
    private sealed class Family(RuleSet rules)
    {
        internal RuleSet Rules { get; } = rules;

        internal string Name => Rules.IsIpv6 ? "IPv6" : "IPv4";

        /// <summary>Its rules stood once, and what an earlier run left is gone.</summary>
        internal bool IsStarted { get; set; }

        /// <summary>Likewise what the other manager left, or nothing more is to be done about it.</summary>
        internal bool IsOtherClean { get; set; }

        internal int OtherFailures { get; set; }

        internal static Family[] Of(IReadOnlyList<RuleSet> rules) => [.. rules.Select(set => new Family(set))];
    }
}
