using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Tunnels;

/// <summary>The kernel's VXLAN driver at a port of ours.</summary>
public sealed class VxlanDriverPortTests
{
    private static readonly EngineOptions s_options = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan).Engine;

    [Fact]
    public void It_has_the_port_unseen_until_its_end() => Run(() =>
    {
        using NetlinkClient host = new();
        using (VxlanDriverPort port = VxlanDriverPort.Open(host, s_options))
        {
            Assert.Contains($"0.0.0.0:{s_options.Port}", Shell("ss -Huan"), StringComparison.Ordinal);
            Assert.Equal(["lo"], host.Links.List().Select(link => link.Name));
            Assert.Equal(0, port.ReadStrays());
        }
        // The very moment: nothing to wait for.
        using var own = new UdpClient(new IPEndPoint(IPAddress.Any, s_options.Port));
    });

    [Fact]
    public void What_reaches_the_driver_is_counted_as_astray() => Run(() =>
    {
        using NetlinkClient host = new();
        using VxlanDriverPort port = VxlanDriverPort.Open(host, s_options);
        using var sender = new UdpClient();
        byte[] frame = [8, 0, 0, 0, 0, 0, (byte)s_options.Vni, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, .. new byte[60]];
        for (int i = 0; i < 3; i++) sender.Send(frame, new IPEndPoint(IPAddress.Loopback, s_options.Port));
        // By loopback they have arrived when the call returns; the device's packets go by a softirq, which has run by then as well.
        Assert.True(SpinWait.SpinUntil(() => port.ReadStrays() == 3, TimeSpan.FromSeconds(5)), $"{port.ReadStrays()}");
    });

    [Fact]
    public void A_port_that_is_taken_is_refused_and_nothing_stays() => Run(() =>
    {
        using NetlinkClient host = new();
        using (var other = new UdpClient(new IPEndPoint(IPAddress.Loopback, s_options.Port)))
            Assert.Equal(Errno.EADDRINUSE, Assert.Throws<NetlinkException>(() => VxlanDriverPort.Open(host, s_options)).Errno);
        VxlanDriverPort.Open(host, s_options).Dispose();
    });

    /// <summary>An audit may come while another thread takes the port back.</summary>
    [Fact]
    public void Once_closed_it_has_no_strays_and_may_be_closed_again() => Run(() =>
    {
        using NetlinkClient host = new();
        VxlanDriverPort port = VxlanDriverPort.Open(host, s_options);
        port.Dispose();
        port.Dispose();
        Assert.Equal(0, port.ReadStrays());
    });

    [Fact]
    public void Two_of_one_port_and_VNI_cannot_be() => Run(() =>
    {
        using NetlinkClient host = new();
        using VxlanDriverPort first = VxlanDriverPort.Open(host, s_options);
        NetlinkException refused = Assert.Throws<NetlinkException>(() => VxlanDriverPort.Open(host, s_options));
        Assert.Contains("a VXLAN device of this port and VNI exists", refused.Message, StringComparison.Ordinal);
    });
}
