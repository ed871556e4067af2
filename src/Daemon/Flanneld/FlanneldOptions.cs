using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets.Etcd;
using FlannelFast.Dataplane.Engine;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld;

/// <summary>What a flanneld was told by its command line and environment; every value is in range. Made by <see cref="FlanneldFlags"/>.</summary>
internal sealed record FlanneldOptions
{
    /// <summary>Where etcd is; not used with <see cref="StoreDirectory"/>.</summary>
    internal required EtcdOptions Etcd { get; init; }

    internal required EtcdApi EtcdApi { get; init; }

    /// <summary>Directory of the embedded store, in place of etcd; empty without one.</summary>
    internal required string StoreDirectory { get; init; }

    /// <summary>Names or addresses, in the order of preference.</summary>
    internal required IReadOnlyList<string> Interfaces { get; init; }

    /// <summary>Regular expressions, likewise.</summary>
    internal required IReadOnlyList<string> InterfacePatterns { get; init; }

    internal required IPAddress? InterfaceCanReach { get; init; }

    internal required IPAddress? PublicIP { get; init; }

    internal required IPAddress? PublicIPv6 { get; init; }

    internal required string SubnetFile { get; init; }

    /// <summary>Before its end the lease is renewed by so much; one minute to 23 hours 59.</summary>
    internal required TimeSpan LeaseRenewMargin { get; init; }

    internal required LeaseLossPolicy LeaseLost { get; init; }

    internal required bool IpMasquerade { get; init; }

    /// <summary>MASQUERADE takes --random-fully where the tool can.</summary>
    internal required bool RandomFully { get; init; }

    /// <summary>How often rules and blackhole routes are looked at.</summary>
    internal required TimeSpan FirewallResync { get; init; }

    internal required bool ForwardRules { get; init; }

    internal required bool BlackholeRoute { get; init; }

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
