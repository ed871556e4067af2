using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Control.Backends;

/// <summary>What this host chooses for itself, whatever the cluster's config says.</summary>
internal sealed record BackendOptions
{
    /// <summary>Who carries VXLAN: the kernel's device, the packet engine, or whichever can be made (-dataplane).</summary>
    internal VxlanDataplane Dataplane { get; init; } = VxlanDataplane.Auto;

    /// <summary>
    /// Puts the user's engine switches (source check, offloads, queues, pause) into what a backend has filled in: wire format, address, port, VNI and MAC.
    /// </summary>
    internal Func<EngineOptions, EngineOptions> Tune { get; init; } = engine => engine;
}
