namespace FlannelFast.Dataplane.Engine;

/// <summary>All counters of one worker; a block of its slab, so nothing else shares the cache lines.</summary>
internal struct WorkerCounters
{
    internal PathCounters Egress;
    internal PathCounters Ingress;
    internal long Wakeups;
    internal long Pauses;
    internal long GsoFallbacks;
    internal long IcmpSent;
    internal long IcmpSuppressed;
    internal long Trimmed;
    internal long AllocatedBytes;

    /// <summary>All but the overflow, which the kernel counts (<see cref="WorkerSockets.ReadOverflow"/>).</summary>
    internal readonly WorkerStatus Read(int index) => new(
        index, Egress.Read(), Ingress.Read(), Wakeups, Pauses, GsoFallbacks, IcmpSent, IcmpSuppressed, Trimmed, SocketOverflow: 0);
}
