using System.Net;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// A running tunnel: device, addresses, routes and engine. Disposing it stops the engine and removes exactly what it made
/// on the host. Members may be called from any thread; <see cref="ReplacePeers"/> by one at a time.
/// </summary>
internal interface ITunnelRuntime : IDisposable
{
    /// <summary>What it is: the device by the name it has got, address and MTU as last followed. The peers in it are those of the start.</summary>
    TunnelConfig Config { get; }

    /// <summary>The peers in use.</summary>
    IReadOnlyList<Peer> Peers { get; }

    /// <summary>Ends when the data path ends; faulted when it died by itself.</summary>
    Task Completion { get; }

    /// <summary>A reading of the device, the engine and the peers' counters.</summary>
    TunnelStatus ReadStatus();

    /// <summary>Puts a new set of peers in the place of the old one, all at once.</summary>
    /// <exception cref="ArgumentException">The set cannot be used; the message is one sentence. The old peers stay.</exception>
    void ReplacePeers(IReadOnlyList<Peer> peers);

    /// <summary>The underlay is another than before: binds to its address and gives the device its MTU, without losing device or peers.</summary>
    /// <param name="local">Of the same family as the one before.</param>
    /// <param name="mtu">Of the device, in bytes, or 0; see <see cref="TunnelConfig.Mtu"/>.</param>
    /// <exception cref="IOException">The host refused the address; everything is as before.</exception>
    void Follow(IPAddress local, int mtu);
}

/// <summary>Starts a tunnel: everything on the host is made here, or nothing is left behind when it throws.</summary>
internal delegate ITunnelRuntime TunnelRuntimeFactory(TunnelConfig config, ILoggerFactory log);
