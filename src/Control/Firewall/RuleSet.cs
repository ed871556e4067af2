using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Control.Firewall;

/// <summary>The rules of one address family, as data. What they are called and how they are written is the manager's business.</summary>
internal sealed record RuleSet
{
    internal const string MasqueradeComment = "flanneld masq";
    internal const string ForwardComment = "flanneld forward";

    internal static readonly IPNetwork MulticastIpv4 = IPNetwork.Parse("224.0.0.0/4");
    internal static readonly IPNetwork MulticastIpv6 = IPNetwork.Parse("ff00::/8");

    internal required AddressFamily Family { get; init; }

    /// <summary>The pod network of all hosts; null where the cluster does not have this family: then no rule is wanted.</summary>
    internal IPNetwork? Network { get; init; }

    /// <summary>This host's part of it.</summary>
    internal IPNetwork? Subnet { get; init; }

    /// <summary>-ip-masq.</summary>
    internal bool WantsMasquerade { get; init; }

    /// <summary>-iptables-forward-rules.</summary>
    internal bool WantsForward { get; init; }

    /// <summary>Unless -ip-masq-fully-random-disable.</summary>
    internal bool IsFullyRandom { get; init; } = true;

    /// <summary>Networks of an earlier configuration: rules that speak of them are left over from it.</summary>
    internal IReadOnlyList<IPNetwork> FormerNetworks { get; init; } = [];

    internal bool IsIpv6 => Family == AddressFamily.InterNetworkV6;

    /// <summary>Whether anything is to stand at all.</summary>
    internal bool IsEmpty => Network is null || !(WantsMasquerade || WantsForward);

    /// <summary>Nothing is to stand, and nothing could be left from an earlier run.</summary>
    internal bool IsUnknown => Network is null && FormerNetworks.Count == 0;

    /// <summary>The same family with nothing wanted: what is left then is to remove what speaks of its networks.</summary>
    internal RuleSet Without => this with { WantsMasquerade = false, WantsForward = false };

    /// <summary>
    /// What becomes of packets that leave: pods' own addresses inside the network, the host's towards the world. In the order of stock; empty where masquerading
    /// is not wanted.
    /// </summary>
    internal IReadOnlyList<FirewallRule> Masquerade()
    {
        if (!WantsMasquerade || Network is not { } network || Subnet is not { } subnet) return [];
        AddressMatch? inNetwork = AddressMatch.In(network), inSubnet = AddressMatch.In(subnet);
        var rules = new List<FirewallRule>
        {
            New(null, null, FirewallVerdict.Return) with { Mark = MarkMatch.Bit },
            New(inSubnet, inNetwork, FirewallVerdict.Return),
            New(inNetwork, inSubnet, FirewallVerdict.Return),
        };
        // A condition that no packet can meet (a network of all addresses, negated) is refused by some versions and never found again in others.
        if (inNetwork is not null) rules.Add(New(Not(network), inSubnet, FirewallVerdict.Return));
        rules.Add(New(inNetwork, Not(IsIpv6 ? MulticastIpv6 : MulticastIpv4), FirewallVerdict.Masquerade));
        if (inNetwork is not null) rules.Add(New(Not(network), inNetwork, FirewallVerdict.Masquerade));
        return rules;

        FirewallRule New(AddressMatch? source, AddressMatch? destination, FirewallVerdict verdict) => new()
        {
            Source = source,
            Destination = destination,
            Verdict = verdict,
            IsFullyRandom = IsFullyRandom && verdict == FirewallVerdict.Masquerade,
            Comment = MasqueradeComment,
        };
    }

    /// <summary>Lets packets of pods pass where the chain's policy is to drop (Docker sets that); empty where this is not wanted.</summary>
    internal IReadOnlyList<FirewallRule> Forward()
    {
        if (!WantsForward || Network is not { } network) return [];
        FirewallRule accept = new() { Verdict = FirewallVerdict.Accept, Comment = ForwardComment };
        FirewallRule from = accept with { Source = AddressMatch.In(network) }, to = accept with { Destination = AddressMatch.In(network) };
        return from == to ? [from] : [from, to];
    }

    /// <summary>
    /// Whether a rule that flannel could have written is this daemon's own, of now or of an earlier configuration. A second daemon with a network of its own
    /// keeps its rules in the same chains.
    /// </summary>
    internal bool Concerns(FirewallRule rule)
    {
        bool speaksOfNetworks = false;
        foreach (IPNetwork spoken in rule.Networks)
        {
            speaksOfNetworks = true;
            foreach (IPNetwork own in OwnNetworks()) if (AddressMatch.Overlap(spoken, own)) return true;
        }
        return !speaksOfNetworks;
    }

    /// <summary>Whether a rule is one of those that flannel up to 0.19 put into a built-in chain directly, for a network of this daemon.</summary>
    /// <param name="rule">As found there.</param>
    /// <param name="table">Tells what flannel did in that chain.</param>
    internal bool IsOfOldFlannel(FirewallRule rule, IptablesTable table)
    {
        if (rule.Mark != MarkMatch.None || !table.Verdicts.Contains(rule.Verdict)) return false;
        if (rule.Comment is not null) return rule.Comment == table.Comment && rule.Networks.Any() && Concerns(rule);
        foreach (IPNetwork network in OwnNetworks()) if (IsOfOldFlannel(rule, network)) return true;
        return false;
    }

    private IEnumerable<IPNetwork> OwnNetworks() => Network is { } network ? [network, .. FormerNetworks] : FormerNetworks;

    // Without a comment only what is word for word flannel's, v0.7 to v0.15: anybody may have rules about the network.
    private static bool IsOfOldFlannel(FirewallRule rule, IPNetwork network)
    {
        if (network.PrefixLength == 0) return false;
        AddressMatch inside = new(network, false), outside = Not(network);
        return rule.Verdict switch
        {
            FirewallVerdict.Accept => (rule.Source == inside && rule.Destination is null) || (rule.Source is null && rule.Destination == inside),
            FirewallVerdict.Return => (rule.Source == inside && rule.Destination == inside)
                || (rule.Source == outside && rule.Destination is { IsNegated: false } to && network.Contains(to.Network.BaseAddress)
                    && to.Network.PrefixLength > network.PrefixLength),
            FirewallVerdict.Masquerade => (rule.Source == outside && rule.Destination == inside)
                || (rule.Source == inside && (rule.Destination == Not(MulticastIpv4) || rule.Destination == Not(MulticastIpv6))),
            _ => false,
        };
    }

    private static AddressMatch Not(IPNetwork network) => new(network, true);
}
