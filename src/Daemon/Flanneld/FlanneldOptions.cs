using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Engine;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>What a flanneld was told by its command line and environment; every value is in range. Made by <see cref="FlanneldFlags"/>.</summary>
internal sealed record FlanneldOptions
{
    internal required StoreOptions Store { get; init; }

    /// <summary>How the underlay is chosen.</summary>
    internal required InterfaceRules InterfaceRules { get; init; }

    internal required string SubnetFile { get; init; }

    internal required LeaseKeeperOptions Lease { get; init; }

    internal required FirewallOptions Firewall { get; init; }

    internal required IPAddress HealthAddress { get; init; }

    /// <summary>0 without a health server.</summary>
    internal required int HealthPort { get; init; }

    internal required VxlanDataplane Dataplane { get; init; }

    /// <summary>Puts the engine's switches into what a backend has filled in.</summary>
    internal required Func<EngineOptions, EngineOptions> Tune { get; init; }

    internal required string ControlSocket { get; init; }

    internal required LogLevel LogLevel { get; init; }

    /// <summary>The flags that were given, without secrets, for the first line of the log.</summary>
    internal required string Summary { get; init; }

    /// <summary>What was accepted but will not do what its writer may expect; one sentence each.</summary>
    internal required IReadOnlyList<string> Warnings { get; init; }
}
