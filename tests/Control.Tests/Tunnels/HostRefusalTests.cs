using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class HostRefusalTests
{
    /// <summary>ss(8) shows a socket without a process then, which says nothing to an operator.</summary>
    [Theory, InlineData(EncapsulationKind.Udp, false), InlineData(EncapsulationKind.Vxlan, true)]
    public void A_port_that_another_tunnel_may_have_lent_is_called_so(EncapsulationKind encapsulation, bool maybeLent)
    {
        TunnelConfig config = FakeTunnelRuntime.Config(encapsulation);
        string message = HostRefusal.Explain(new ErrnoException(Errno.EADDRINUSE, "cannot bind"), config).Message;
        Assert.StartsWith($"UDP 192.0.2.1:{config.Engine.Port} is in use by another program: ", message, StringComparison.Ordinal);
        Assert.Equal(maybeLent, message.EndsWith("; another tunnel of this host that lent it to the kernel's VXLAN driver needs --udp-gro off", StringComparison.Ordinal));
    }
}
