using System.Globalization;
using System.Net;

namespace FlannelFast.Lab.Topologies;

/// <summary>A host of the overlay.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Namespace">Where its daemons run.</param>
/// <param name="Pod">Where its programs run, if that is not the node itself.</param>
internal sealed record Node(int Number, NetworkNamespace Namespace, NetworkNamespace? Pod)
{
    /// <summary>The interface to the underlay, on every node.</summary>
    internal const string Device = "eth0";

    /// <summary>The bridge of the pods, on nodes that have some.</summary>
    internal const string Bridge = "cni0";

    /// <summary>Underlay address: 192.0.2.N (TEST-NET-1, RFC 5737).</summary>
    internal IPAddress Address => IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"192.0.2.{Number}"));

    /// <summary>Where the traffic of measurements begins and ends.</summary>
    internal NetworkNamespace Endpoint => Pod ?? Namespace;
}
