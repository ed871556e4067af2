using System.Net;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tunnels;

/// <summary>Turns what the kernel answered when a tunnel was created into one line that says what to do. Missing rights: <see cref="HostRequirements"/>.</summary>
internal static class HostRefusal
{
    internal static IOException Explain(ErrnoException refused, TunnelConfig config)
    {
        var local = new IPEndPoint(config.Engine.Local, config.Engine.Port);
        return refused.Errno switch
        {
            Errno.EBUSY => new IOException($"device {config.Device} exists already: {config.Advice.DeviceTaken}", refused),
            Errno.EADDRINUSE => new IOException($"UDP {local} is in use by another program: {config.Advice.PortTaken}{Lent(config)}", refused),
            Errno.EADDRNOTAVAIL => new IOException($"no interface of this host owns {local.Address}: {config.Advice.LocalMissing}", refused),
            _ => refused,
        };
    }

    /// <summary>The driver listens at all addresses, so a tunnel that lent it the port keeps one of another address from starting (<see cref="VxlanDriverPort"/>).</summary>
    private static string Lent(TunnelConfig config) =>
        config.Engine.Encapsulation == EncapsulationKind.Vxlan ? "; another tunnel of this host that lent it to the kernel's VXLAN driver needs --udp-gro off" : "";
}
