using System.Net;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Backends;

/// <summary>What one <see cref="RouteReconciler.Apply"/> did.</summary>
internal sealed class RouteChanges
{
    /// <summary>Routes that were made, or put in the place of others.</summary>
    internal List<Route> Set { get; } = [];

    /// <summary>Routes that belonged to no lease.</summary>
    internal List<Route> Removed { get; } = [];

    /// <summary>Destinations that could not be given their route, with one sentence each.</summary>
    internal Dictionary<IPNetwork, string> Failures { get; } = [];

    /// <summary>One sentence for each route that could not be removed.</summary>
    internal List<string> OtherFailures { get; } = [];
}
