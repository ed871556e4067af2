using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Backends.Engine;

/// <summary>A backend that carries packets by the packet engine, for those who read its counters.</summary>
internal interface IEngineBackend
{
    /// <summary>One tunnel per underlay family, empty before the start. Owned by the backend. May be read from any thread.</summary>
    IReadOnlyList<ITunnelRuntime> Tunnels { get; }
}
