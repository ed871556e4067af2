using System.Net;
using System.Net.Sockets;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A UDP socket in a namespace, with a receive buffer that outlasts a burst and a limit on waiting.</summary>
internal sealed class UdpSocket : IDisposable
{
    private const int SOL_UDP = 17;
    private const int UDP_SEGMENT = 103;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[65535];

    /// <summary>Binds to an address and port.</summary>
    public UdpSocket(Netns netns, string address, int port)
    {
        _socket = netns.Within(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        _socket.ReceiveBufferSize = 4 << 20;
        _socket.ReceiveTimeout = 2000;
        _socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
    }

    /// <summary>Hops that what is sent may make.</summary>
    public short Ttl { set => _socket.Ttl = value; }

    /// <summary>Sends one datagram.</summary>
    public void Send(ReadOnlySpan<byte> payload, string address, int port) =>
        Assert.Equal(payload.Length, _socket.SendTo(payload, new IPEndPoint(IPAddress.Parse(address), port)));

    /// <summary>Sends several datagrams of one size, the last one maybe shorter, in one call: the kernel makes a super-packet of them.</summary>
    public void SendSegmented(ReadOnlySpan<byte> payload, int size, string address, int port)
    {
        _socket.SetRawSocketOption(SOL_UDP, UDP_SEGMENT, BitConverter.GetBytes(size));
        Send(payload, address, port);
        _socket.SetRawSocketOption(SOL_UDP, UDP_SEGMENT, BitConverter.GetBytes(0));
    }

    /// <summary>A datagram waits to be received.</summary>
    public bool HasArrivals => _socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Waits for the next datagram, at most two seconds. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Receive() => _buffer.AsSpan(0, _socket.Receive(_buffer));

    /// <summary>Waits for the next datagram, at most two seconds, and returns who sent it.</summary>
    public string ReceiveFrom()
    {
        EndPoint sender = new IPEndPoint(IPAddress.Any, 0);
        _socket.ReceiveFrom(_buffer, ref sender);
        return ((IPEndPoint)sender).Address.ToString();
    }

    /// <summary>Waits for the next datagram and demands that it is this one.</summary>
    public void MustReceive(ReadOnlySpan<byte> expected, string what)
    {
        try
        {
            Assert.True(Receive().SequenceEqual(expected), $"{what}: came out different");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
        {
            Assert.Fail($"{what}: did not arrive");
        }
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();
}
