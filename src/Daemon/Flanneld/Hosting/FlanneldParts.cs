using FlannelFast.Control.Backends;
using FlannelFast.Control.Claims;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Systemd;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>Everything outside the process that a flanneld uses. What is real in the program is replaced in tests.</summary>
internal sealed record FlanneldParts : IDisposable
{
    internal required Func<RegistrySubnetStore> OpenStore { get; init; }

    internal required IHostNetwork Network { get; init; }

    /// <summary>Calls back, on any thread, when links or addresses may have changed; until disposed.</summary>
    internal required Func<Action, IDisposable> WatchNetwork { get; init; }

    internal required HostClaims Claims { get; init; }

    /// <summary>Finds the backend of a type; see <see cref="BackendCatalog.Find"/>.</summary>
    internal required Func<string, BackendOptions, BackendChoice> FindBackend { get; init; }

    internal required Func<FirewallSettings, FirewallKeeper> Firewall { get; init; }

    internal required SystemdNotifier Manager { get; init; }

    /// <summary>How long the service manager waits for a sign of life; null where it does not.</summary>
    internal required TimeSpan? WatchdogInterval { get; init; }

    internal required TimeProvider Time { get; init; }

    internal required Random Random { get; init; }

    /// <summary>What else was opened for these parts.</summary>
    internal IReadOnlyList<IDisposable> Owned { get; init; } = [];

    public void Dispose()
    {
        Claims.Dispose();
        foreach (IDisposable part in Owned) part.Dispose();
    }
}

/// <summary>Opens the parts of a flanneld with these options.</summary>
/// <exception cref="IOException">The host refused.</exception>
internal delegate FlanneldParts FlanneldPartsFactory(FlanneldOptions options, ILoggerFactory loggers);
