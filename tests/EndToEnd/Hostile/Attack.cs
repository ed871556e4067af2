using System.Globalization;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Hostile;

/// <summary>
/// FlannelFast on node 1 only. Node 2 has the addresses of two peers and of a stranger, and sends whatever a test likes from
/// each: what a real peer could send when it is compromised, or anybody who can forge a source address.
/// </summary>
internal sealed class Attack : IDisposable
{
    /// <summary>Owns 10.5.2.0/24.</summary>
    public const string Peer = "192.0.2.2";

    /// <summary>Owns 10.5.3.0/24.</summary>
    public const string OtherPeer = "192.0.2.3";

    /// <summary>Is no peer.</summary>
    public const string Stranger = "192.0.2.9";

    private const int Copies = 10;

    private readonly TwoNodes _nodes = TwoNodes.Create();
    private readonly int _port;

    /// <summary>Starts the daemon.</summary>
    public Attack(string encap, params string[] more)
    {
        _port = encap == "udp" ? 8285 : 8472;
        _nodes.Two.Ip("address", "add", $"{OtherPeer}/24", "dev", "eth0");
        _nodes.Two.Ip("address", "add", $"{Stranger}/24", "dev", "eth0");
        string other = encap == "udp" ? $"10.5.3.0/24={OtherPeer}" : $"10.5.3.0/24={OtherPeer},02:00:00:00:00:03";
        Daemon = _nodes.StartDaemon(1, encap, ["--peer", other, .. more]);
        // A multicast or IPv6 neighbour message of the host itself would be counted among the egress drops, never here.
        Eventually.Equal(0L, () => Daemon.Status().Ingress.Packets, "packets before the attack");
    }

    /// <summary>The daemon on node 1.</summary>
    public Daemon Daemon { get; }

    /// <summary>Sends a datagram ten times and demands that each is counted under this reason and nothing reaches the host.</summary>
    /// <param name="reason">Name of the drop reason; several, separated by "|", when the order of two checks is the engine's own affair.</param>
    /// <param name="datagram">UDP payload.</param>
    /// <param name="source">Outer source address.</param>
    /// <param name="sourcePort">Outer source port; the tunnel's own when 0.</param>
    public void MustBeDropped(string reason, byte[] datagram, string source = Peer, int sourcePort = 0)
    {
        long delivered = DeliveredFrames();
        PathCounters before = Daemon.Status().Ingress;
        Send(datagram, source, sourcePort);
        Eventually.Equal(before.Packets + Copies, () => Daemon.Status().Ingress.Packets, $"packets received, {reason}");

        DaemonStatus after = Daemon.Status();
        after.AssertEveryPacketAccountedFor();
        Assert.Equal(before.Forwarded, after.Ingress.Forwarded);
        string[] reasons = reason.Split('|');
        long counted = after.Ingress.DropsFor(reasons) - before.DropsFor(reasons);
        Assert.True(counted == Copies, $"{counted} of {Copies} counted as {reason}; drops are now {Describe(after.Ingress)}");
        Assert.Equal(delivered, DeliveredFrames());
    }

    /// <summary>The opposite: each of ten is delivered. Without it, "nothing was delivered" would prove nothing.</summary>
    public void MustBeDelivered(byte[] datagram, string source = Peer, int sourcePort = 0)
    {
        long delivered = DeliveredFrames();
        PathCounters before = Daemon.Status().Ingress;
        Send(datagram, source, sourcePort);
        Eventually.Equal(before.Packets + Copies, () => Daemon.Status().Ingress.Packets, "packets received");

        PathCounters after = Daemon.Status().Ingress;
        Assert.True(before.Forwarded + Copies == after.Forwarded, $"not all were delivered; drops are now {Describe(after)}");
        // Datagrams of one flow may be written to the device merged.
        Assert.InRange(DeliveredFrames(), delivered + 1, delivered + Copies);
    }

    /// <summary>Sends random bytes as the peer: of every length up to 1500, and up to 60,000 now and then. Half begin like the real thing.</summary>
    public void SendRandom(int count, int seed)
    {
        using var socket = new UdpSocket(_nodes.Two, Peer, _port);
        var random = new Random(seed);
        byte[] bytes = new byte[60_000];
        byte[] start = _port == 8285 ? new InnerPacket().ToArray() : new VxlanFrame().ToArray();
        for (int i = 0; i < count; i++)
        {
            Span<byte> datagram = bytes.AsSpan(0, i % 100 == 0 ? random.Next(bytes.Length) : random.Next(1501));
            random.NextBytes(datagram);
            if (i % 2 == 0) start.AsSpan(0, Math.Min(random.Next(start.Length), datagram.Length)).CopyTo(datagram);
            socket.Send(datagram, TwoNodes.UnderlayAddress(1), _port);
            // Faster, and the receiving socket's buffer decides what is tested.
            if (i % 100 == 0) Thread.Sleep(1);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _nodes.Dispose();

    private void Send(byte[] datagram, string source, int sourcePort)
    {
        using var socket = new UdpSocket(_nodes.Two, source, sourcePort == 0 ? _port : sourcePort);
        for (int i = 0; i < Copies; i++) socket.Send(datagram, TwoNodes.UnderlayAddress(1), _port);
    }

    /// <summary>Frames that reached the host through the device.</summary>
    private long DeliveredFrames() => long.Parse(
        _nodes.One.Run("cat", "/sys/class/net/ff0/statistics/rx_packets").Output, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    private static string Describe(PathCounters path) =>
        string.Join(", ", path.Drops.Where(d => d.Value > 0).Select(d => $"{d.Key} {d.Value}"));
}
