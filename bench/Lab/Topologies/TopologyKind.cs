namespace FlannelFast.Lab.Topologies;

/// <summary>How the nodes of a lab are joined.</summary>
internal enum TopologyKind
{
    /// <summary>Two nodes on one veth pair; programs run on the nodes themselves.</summary>
    Pair,

    /// <summary>Several nodes on one switch; every node but the first sends to the first.</summary>
    Star,

    /// <summary>Two nodes on one veth pair, and on each a pod behind a bridge: every packet is forwarded twice.</summary>
    Pods,
}
