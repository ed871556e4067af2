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
}
