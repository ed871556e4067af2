using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>The tunnel on this host's kernel.</summary>
internal sealed class TunnelRuntime : ITunnelRuntime
{
    private TunnelRuntime()
    {
    }

    public IReadOnlyList<Peer> Peers => [];

    public Task Completion => Task.CompletedTask;

    /// <inheritdoc cref="TunnelRuntimeFactory"/>
    internal static ITunnelRuntime Start(TunnelConfig config, ILoggerFactory log) =>
        throw new InvalidOperationException("this build has no packet engine");

    public TunnelStatus ReadStatus() => throw new InvalidOperationException("this build has no packet engine");

    public void ReplacePeers(IReadOnlyList<Peer> peers) => throw new InvalidOperationException("this build has no packet engine");

    public void Dispose()
    {
    }
}
