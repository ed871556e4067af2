using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// A running tunnel: device, addresses, routes and engine. Disposing it stops the engine and removes exactly what it made
/// on the host. Members may be called from any thread; <see cref="ReplacePeers"/> by one at a time.
/// </summary>
internal interface ITunnelRuntime : IDisposable
{
    /// <summary>The peers in use.</summary>
    IReadOnlyList<Peer> Peers { get; }

    /// <summary>Ends when the data path ends; faulted when it died by itself.</summary>
    Task Completion { get; }

    /// <summary>A reading of the device, the engine and the peers' counters.</summary>
    TunnelStatus ReadStatus();

    /// <summary>Puts a new set of peers in the place of the old one, all at once.</summary>
    /// <exception cref="ArgumentException">The set cannot be used; the message is one sentence. The old peers stay.</exception>
    void ReplacePeers(IReadOnlyList<Peer> peers);
}

/// <summary>Starts a tunnel: everything on the host is made here, or nothing is left behind when it throws.</summary>
internal delegate ITunnelRuntime TunnelRuntimeFactory(TunnelConfig config, ILoggerFactory log);
