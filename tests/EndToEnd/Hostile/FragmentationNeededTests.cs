using System.Net;
using System.Net.Sockets;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Hostile;

/// <summary>Anybody can forge ICMP "fragmentation needed"; the kernel believes it for ten minutes. The tunnel must not.</summary>
public sealed class FragmentationNeededTests
{
    private const int ForgedMtu = 600;

    [Theory, InlineData("udp", 8285, 1472), InlineData("vxlan", 8472, 1450)]
    public void A_forged_one_neither_stops_nor_slows_the_tunnel(string encap, int tunnelPort, int mtu)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap, Underlay.WireLike);
        double before = Iperf.TcpGigabits(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2));

        // An ordinary socket is there to be fooled: only when the route has shrunk does this test test anything.
        using var victim = new UdpSocket(nodes.One, TwoNodes.UnderlayAddress(1), 7004);
        Forge(nodes, 7004, tunnelPort);
        int[] ports = [.. BoundSocket.PortsOf(nodes, 1).Where(port => port != 7004)];
        Assert.Contains(tunnelPort, ports);
        foreach (int port in ports) Forge(nodes, port, tunnelPort);
        Assert.Contains($"mtu {ForgedMtu}", nodes.One.Ip("route", "get", TwoNodes.UnderlayAddress(2)).Output, StringComparison.Ordinal);

        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10, "-M", "do", "-s", $"{mtu - 28}");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 50_000_000);
        double after = Iperf.TcpGigabits(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2));
        // Without UDP_SEGMENT, or with fragments, it would be a small part; half allows for a noisy machine.
        Assert.True(after > before / 2, $"{before:f2} Gbit/s before, {after:f2} after");
        Assert.Equal(0, nodes.Daemons[0].Status().Egress.DropsFor("send_too_big"));
        Assert.Equal(0, nodes.Daemons[0].Status().Root.GetProperty("workers")[0].GetProperty("gso_fallbacks").GetInt64());
    }

    /// <summary>Sends node 1 the error for a datagram it might have sent from and to these ports.</summary>
    private static void Forge(TwoNodes nodes, int from, int to)
    {
        byte[] quoted = new InnerPacket { Source = TwoNodes.UnderlayAddress(1), Destination = TwoNodes.UnderlayAddress(2), PayloadLength = 0 }.ToArray();
        foreach ((int at, int port) in ((int, int)[])[(20, from), (22, to)]) (quoted[at], quoted[at + 1]) = ((byte)(port >> 8), (byte)port);
        // RFC 792 and RFC 1191: type 3, code 4, checksum, unused, next-hop MTU, the offender.
        byte[] icmp = [3, 4, 0, 0, 0, 0, ForgedMtu >> 8, ForgedMtu & 0xFF, .. quoted];
        ushort checksum = InnerPacket.Checksum(icmp);
        (icmp[2], icmp[3]) = ((byte)(checksum >> 8), (byte)checksum);

        using Socket raw = nodes.Two.Within(() => new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp));
        raw.SendTo(icmp, new IPEndPoint(IPAddress.Parse(TwoNodes.UnderlayAddress(1)), 0));
        Thread.Sleep(50);
    }
}
