namespace FlannelFast.Control.Subnets;

/// <summary>How a host keeps its lease.</summary>
internal sealed record LeaseKeeperOptions
{
    /// <summary>How long before its end a lease is renewed (-subnet-lease-renew-margin, there in minutes, 1 to 1439).</summary>
    internal TimeSpan RenewMargin { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>What to do about a lease that is gone.</summary>
    internal LeaseLostPolicy Policy { get; init; } = LeaseLostPolicy.Reacquire;

    /// <summary>
    /// How long the data plane may go on with a subnet that is known to be nobody's, while the store does not answer the attempts to take it again. An outage
    /// without such knowledge is sat out without limit.
    /// </summary>
    internal TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(5);
}
