namespace FlannelFast.Control.Firewall;

/// <summary>A way to put rules into the kernel: iptables or nftables. One call at a time.</summary>
internal interface IFirewall
{
    /// <summary>"iptables" or "nftables".</summary>
    string Mode { get; }

    /// <summary>
    /// Makes the rules stand: reads what is there and, if it is not right, replaces it in one transaction, so that at no moment a rule is missing that was there
    /// before and is wanted. Rules that are right are left alone. Rules of other programs are never touched.
    /// </summary>
    /// <param name="rules">One address family.</param>
    /// <param name="isStart">Also look where nothing is wanted, for what an earlier run with other flags left.</param>
    /// <param name="cancel">Gives up between two programs; one that runs is killed.</param>
    /// <returns>One phrase for each thing that was changed; empty where all was right.</returns>
    /// <exception cref="FirewallException">It could not be done.</exception>
    Task<IReadOnlyList<string>> EnsureAsync(RuleSet rules, bool isStart, CancellationToken cancel);

    /// <summary>Removes what this manager set for these networks, in an earlier run: the other manager serves them now.</summary>
    /// <inheritdoc cref="EnsureAsync"/>
    Task<IReadOnlyList<string>> RemoveAsync(RuleSet rules, CancellationToken cancel);
}
