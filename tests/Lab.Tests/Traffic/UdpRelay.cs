using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Lab.Tests.Traffic;

/// <summary>Stands between a source and a sink on loopback and does to the source's datagrams what a bad path does.</summary>
internal sealed class UdpRelay : IDisposable
{
    private readonly UdpClient _front = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly UdpClient _back = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Func<byte[], IEnumerable<byte[]>> _path;
    private readonly IPEndPoint _sink;
    private IPEndPoint? _source;

    /// <param name="sink">Where to.</param>
    /// <param name="path">What becomes of one datagram: none, one or several.</param>
    internal UdpRelay(IPEndPoint sink, Func<byte[], IEnumerable<byte[]>> path)
    {
        (_sink, _path) = (sink, path);
        new Thread(Forward) { IsBackground = true }.Start();
        new Thread(Backward) { IsBackground = true }.Start();
    }

    internal IPEndPoint EndPoint => (IPEndPoint)_front.Client.LocalEndPoint!;

    public void Dispose()
    {
        _front.Dispose();
        _back.Dispose();
    }

    private void Forward() => UntilClosed(() =>
    {
        IPEndPoint from = new(IPAddress.Any, 0);
        byte[] datagram = _front.Receive(ref from);
        // What a receive gets that waits while the socket is closed; the lab sends no empty datagrams.
        if (datagram.Length == 0) return false;
        _source = from;
        foreach (byte[] piece in _path(datagram)) _back.Send(piece, _sink);
        return true;
    });

    private void Backward() => UntilClosed(() =>
    {
        IPEndPoint from = new(IPAddress.Any, 0);
        byte[] datagram = _back.Receive(ref from);
        if (datagram.Length == 0) return false;
        _front.Send(datagram, _source!);
        return true;
    });

    private static void UntilClosed(Func<bool> step)
    {
        try
        {
            while (step())
            {
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }
}
