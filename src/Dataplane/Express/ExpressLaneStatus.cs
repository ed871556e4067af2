namespace FlannelFast.Dataplane.Express;

/// <summary>A reading of the express lane. Its packets are no part of the workers' counters, and stay counted while it is closed.</summary>
/// <param name="Road">Where it runs; null while it is closed.</param>
/// <param name="Peers">Peers whose packets it carries; the others' are the engine's.</param>
/// <param name="Egress">From the TUN device to the underlay.</param>
/// <param name="Ingress">From the underlay to the TUN device.</param>
public sealed record ExpressLaneStatus(ExpressRoad? Road, int Peers, ExpressPathStatus Egress, ExpressPathStatus Ingress);

/// <summary>One direction of the lane, since the engine started. A super-packet counts as its segments, as everywhere.</summary>
/// <param name="Forwarded">Packets handed on.</param>
/// <param name="ForwardedBytes">Their inner bytes, from the IP header on.</param>
/// <param name="Failed">Packets the kernel could not change any more (no memory); dropped, in the drop table <c>lane_failed</c>.</param>
public sealed record ExpressPathStatus(long Forwarded, long ForwardedBytes, long Failed);
