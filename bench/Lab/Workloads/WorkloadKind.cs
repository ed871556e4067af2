namespace FlannelFast.Lab.Workloads;

/// <summary>What is done to a contender.</summary>
internal enum WorkloadKind
{
    /// <summary>TCP streams at full speed.</summary>
    Tcp,

    /// <summary>UDP as fast as the sender can; what arrives counts.</summary>
    UdpFlood,

    /// <summary>Binary search of the highest UDP rate with little loss (RFC 2544, section 26.1).</summary>
    UdpRate,

    /// <summary>Request and response, one at a time.</summary>
    Rtt,

    /// <summary>The same while one TCP stream runs at full speed.</summary>
    RttLoaded,

    /// <summary>TCP connections, one after the other.</summary>
    Connect,

    /// <summary>TCP at full speed, UDP at a fixed rate and round trips at once.</summary>
    Mixed,

    /// <summary>TCP and UDP with few and with many peers configured.</summary>
    Peers,

    /// <summary>One node floods; what another one still gets through.</summary>
    Fairness,

    /// <summary>One long measurement, cut into intervals.</summary>
    Stability,
}
