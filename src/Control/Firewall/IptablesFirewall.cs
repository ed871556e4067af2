using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FlannelFast.Control.Processes;

namespace FlannelFast.Control.Firewall;

/// <summary>
/// Rules by the programs iptables-save and iptables-restore, in whichever variant they are installed. Looking takes no lock (iptables-save has none); changing is
/// one run of iptables-restore, so the xtables lock is held for that long and only when something is to be changed.
/// </summary>
/// <param name="runner">Runs the programs.</param>
/// <param name="lockWait">How long iptables-restore waits for the lock before it gives up; the next round tries again.</param>
internal sealed partial class IptablesFirewall(IProgramRunner runner, TimeSpan lockWait) : IFirewall
{
    // Beside the wait for the lock. A table of 100,000 rules is written in some seconds.
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private static readonly Version s_hasWaitAndFullyRandom = new(1, 6, 2);
    private static readonly Dictionary<string, string?> s_environment = ProgramEnvironment();
    private readonly Dictionary<bool, Version> _versions = [];

    /// <inheritdoc />
    public string Mode => "iptables";

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> EnsureAsync(RuleSet rules, bool isStart, CancellationToken cancel)
    {
        if (rules.IsUnknown) return [];
        var tables = new List<IptablesTable>();
        if (isStart || rules.WantsMasquerade) tables.Add(IptablesTable.Nat);
        if (isStart || rules.WantsForward) tables.Add(IptablesTable.Filter);
        if (tables.Count == 0) return [];
        Version version = await ReadVersionAsync(rules.IsIpv6, cancel).ConfigureAwait(false);
        if (version < s_hasWaitAndFullyRandom) rules = rules with { IsFullyRandom = false };
        string? refused = null;
        while (true)
        {
            (string input, IReadOnlyList<string> changes) = await CompareAsync(rules, tables, cancel).ConfigureAwait(false);
            if (changes.Count == 0) return [];
            try
            {
                await RestoreAsync(rules.IsIpv6, version, input, cancel).ConfigureAwait(false);
                return rules.IsIpv6 ? [.. changes.Select(change => $"{change} (IPv6)")] : changes;
            }
            catch (FirewallException e) when (!e.IsMissing && input != refused)
            {
                // Between looking and changing somebody else may have deleted what was to be deleted: look again, and once only if nothing is new.
                refused = input;
            }
        }
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> RemoveAsync(RuleSet rules, CancellationToken cancel) => EnsureAsync(rules.Without, isStart: true, cancel);

    /// <summary>What iptables-restore has to be told, and what that changes.</summary>
    private async Task<(string Input, IReadOnlyList<string> Changes)> CompareAsync(RuleSet rules, List<IptablesTable> tables, CancellationToken cancel)
    {
        var input = new StringBuilder();
        var changes = new List<string>();
        foreach (IptablesTable table in tables)
        {
            ProgramRequest save = Request(rules.IsIpv6, "-save", "-t", table.Name) with { KeepLine = IptablesTableState.IsOfInterest };
            ProgramResult saved = await RunAsync(save, cancel).ConfigureAwait(false);
            if (saved.IsTruncated) throw new FirewallException($"{save} prints more than {save.MaxOutput} bytes about {table.Hook} and {table.Chain}");
            IptablesTransaction transaction = IptablesTransaction.Of(table, IptablesTableState.Parse(saved.Output, table), rules);
            if (transaction.Changes.Count == 0) continue;
            input.Append(transaction.Text(table));
            changes.AddRange(transaction.Changes);
        }
        return (input.ToString(), changes);
    }

    private Task<ProgramResult> RestoreAsync(bool isIpv6, Version version, string input, CancellationToken cancel)
    {
        string[] wait = version < s_hasWaitAndFullyRandom ? [] : ["--wait", ((int)lockWait.TotalSeconds).ToString(CultureInfo.InvariantCulture)];
        ProgramRequest restore = Request(isIpv6, "-restore", ["--noflush", .. wait]);
        return RunAsync(restore with { Input = Encoding.ASCII.GetBytes(input), Deadline = s_deadline + lockWait }, cancel);
    }

    private async Task<Version> ReadVersionAsync(bool isIpv6, CancellationToken cancel)
    {
        if (_versions.TryGetValue(isIpv6, out Version? version)) return version;
        string program = isIpv6 ? "ip6tables" : "iptables";
        ProgramResult result = await RunAsync(new(program, ["--version"]) { Deadline = s_deadline }, cancel).ConfigureAwait(false);
        Match match = VersionNumber().Match(result.Output);
        if (!match.Success || !Version.TryParse(match.ValueSpan[1..], out version))
            throw new FirewallException($"{program} --version says {Tunnels.InvalidInputException.Quote(result.Output.Trim())}; expected a version such as v1.8.9");
        return _versions[isIpv6] = version;
    }

    private static ProgramRequest Request(bool isIpv6, string suffix, params string[] arguments) =>
        new((isIpv6 ? "ip6tables" : "iptables") + suffix, arguments) { Deadline = s_deadline, Environment = s_environment };

    private async Task<ProgramResult> RunAsync(ProgramRequest request, CancellationToken cancel)
    {
        try
        {
            ProgramResult result = await runner.RunAsync(request, cancel).ConfigureAwait(false);
            return result.ExitCode == 0 ? result : throw new FirewallException($"{request}: {result.Complaint}");
        }
        catch (ProgramException e)
        {
            throw new FirewallException(e.Message, e.IsMissing, e);
        }
    }

    // What xtables(8) reads beside PATH; messages in English, so that logs can be searched.
    private static Dictionary<string, string?> ProgramEnvironment()
    {
        var environment = new Dictionary<string, string?> { ["LC_ALL"] = "C" };
        foreach (string name in (ReadOnlySpan<string>)["XTABLES_LIBDIR", "XTABLES_LOCKFILE"])
        {
            if (Environment.GetEnvironmentVariable(name) is { } value) environment[name] = value;
        }
        return environment;
    }

    [GeneratedRegex(@"v\d+\.\d+\.\d+")]
    private static partial Regex VersionNumber();
}
