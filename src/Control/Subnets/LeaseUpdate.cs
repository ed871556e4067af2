namespace FlannelFast.Control.Subnets;

/// <summary>One item of the stream of leases. A removal comes by name only: whoever needs the attributes keeps them.</summary>
internal abstract record LeaseUpdate
{
    private LeaseUpdate() { }

    /// <summary>Every lease as it is now; what is not in it is gone. Comes first, and again whenever the store could not follow single changes.</summary>
    /// <param name="Leases">Usable ones only: others were counted and reported, each once.</param>
    internal sealed record Snapshot(IReadOnlyList<Lease> Leases) : LeaseUpdate;

    /// <summary>A lease is new, was renewed or has other attributes.</summary>
    internal sealed record Put(Lease Lease) : LeaseUpdate;

    /// <summary>A lease was given up or ran out.</summary>
    internal sealed record Removed(LeasedSubnet Subnet) : LeaseUpdate;
}
