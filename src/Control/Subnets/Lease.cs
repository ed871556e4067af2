namespace FlannelFast.Control.Subnets;

/// <summary>One host's claim on a subnet, as the store holds it.</summary>
internal sealed record Lease
{
    internal required LeasedSubnet Subnet { get; init; }

    internal required LeaseAttributes Attributes { get; init; }

    /// <summary>When it ends, as a timestamp of the <see cref="TimeProvider"/> the store was made with (monotonic: wall clocks jump); null for a reservation, which does not end.</summary>
    internal required long? ExpiresAt { get; init; }

    /// <summary>Revision of the store at which this claim was made. Where two claims contradict each other the lower one wins, and a takeover by somebody else shows here.</summary>
    internal required long CreateRevision { get; init; }

    /// <summary>Revision of its last change: what compare-and-swap compares.</summary>
    internal required long ModRevision { get; init; }

    /// <summary>True for a key without TTL: it stays so when it is used.</summary>
    internal bool IsReservation => ExpiresAt is null;
}
