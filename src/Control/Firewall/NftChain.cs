namespace FlannelFast.Control.Firewall;

/// <summary>A chain of flannel's table, as it should be.</summary>
/// <param name="Name">"postrtg".</param>
/// <param name="Type">"nat" or "filter".</param>
/// <param name="Hook">"postrouting" or "forward".</param>
/// <param name="Priority">The number behind "srcnat" (100) or "filter" (0), which every version understands.</param>
/// <param name="Comment">What <c>nft list</c> shows.</param>
/// <param name="Rules">In order; empty where the chain is not wanted.</param>
internal sealed record NftChain(string Name, string Type, string Hook, int Priority, string Comment, IReadOnlyList<FirewallRule> Rules)
{
    /// <summary>Stock's two chains, and one that stock lacks.</summary>
    internal static NftChain[] Of(RuleSet rules)
    {
        IReadOnlyList<FirewallRule> masquerade = rules.Masquerade();
        return
        [
            new("postrtg", "nat", "postrouting", 100, "chain to manage traffic masquerading by flannel", Stock(masquerade, rules)),
            new("postrtg-outside", "nat", "postrouting", 99, "traffic of others towards pods of other hosts", Outside(masquerade, rules)),
            new("forward", "filter", "forward", 0, "chain to accept flannel traffic", [.. rules.Forward().Select(Plain)]),
        ];
    }

    /// <summary>Whether a chain as it stands is of this kind; nft prints names of priorities or numbers.</summary>
    internal bool IsLike(string header) =>
        header.StartsWith($"type {Type} hook {Hook} priority ", StringComparison.Ordinal) && header[$"type {Type} hook {Hook} priority ".Length..].Split(';')[0] switch
        {
            "srcnat" => Priority == 100,
            "srcnat - 1" => Priority == 99,
            "filter" => Priority == 0,
            var number => number == Priority.ToString(System.Globalization.CultureInfo.InvariantCulture),
        };

    /// <summary>
    /// Word for word what stock's nftables mode writes, so that whoever compares finds no difference. It differs from stock's iptables mode in two rules: the
    /// whole mark is compared instead of kube-proxy's bit, and "not from our subnet" stands where iptables has "not from the network, to our subnet", which
    /// leaves the last rule without packets. <see cref="Outside"/> makes up for the second.
    /// </summary>
    private static FirewallRule[] Stock(IReadOnlyList<FirewallRule> masquerade, RuleSet rules)
    {
        if (masquerade is not [_, _, _, ..] || rules is not { Network: { } network, Subnet: { } subnet }) return [];
        FirewallRule[] stock = [.. masquerade.Select(Plain)];
        stock[0] = stock[0] with { Mark = MarkMatch.Whole };
        // Third of five or six: with a network of all addresses, rules that can match nothing are not there.
        if (network.PrefixLength > 0) stock[3] = stock[3] with { Source = new(subnet, true), Destination = AddressMatch.In(network) };
        return stock;
    }

    /// <summary>
    /// What the dead rule of stock was meant to do: a packet from outside the network to a pod of another host (from this host's own address, or routed
    /// through it) gets an address by which the answer comes back here; one to a pod of this host keeps its source. Chains of type nat are asked in the order of their
    /// priorities until one has changed the packet (nf_nat_inet_fn), so this one comes first and says nothing of pods' own packets.
    /// </summary>
    private static FirewallRule[] Outside(IReadOnlyList<FirewallRule> masquerade, RuleSet rules) =>
        masquerade is [var mark, _, _, var toUs, _, var toNetwork] && rules.Network is { PrefixLength: > 0 } ? [Plain(mark), Plain(toUs), Plain(toNetwork)] : [];

    private static FirewallRule Plain(FirewallRule rule) => rule with { Comment = null };
}
