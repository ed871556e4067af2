using System.Net;
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
            Errno.EADDRINUSE => new IOException($"UDP {local} is in use by another program: {config.Advice.PortTaken}", refused),
            Errno.EADDRNOTAVAIL => new IOException($"no interface of this host owns {local.Address}: {config.Advice.LocalMissing}", refused),
            _ => refused,
        };
    }
}
