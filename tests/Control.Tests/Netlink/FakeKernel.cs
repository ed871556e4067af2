using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tests.Netlink;

/// <summary>The other end of a socket pair in the kernel's place: keeps every request and answers as the test says.</summary>
internal sealed partial class FakeKernel : IDisposable
{
    private readonly Socket _socket;
    private readonly Thread _thread;
    private readonly Func<byte[], byte[][]> _answer;

    /// <param name="answer">From a request to the datagrams that answer it.</param>
    internal unsafe FakeKernel(Func<byte[], byte[][]> answer)
    {
        _answer = answer;
        int* pair = stackalloc int[2];
        Assert.Equal(0, socketpair(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0, pair));
        Channel = new(new NativeFd(pair[0]));
        _socket = new(new SafeSocketHandle(pair[1], ownsHandle: true));
        _thread = new(Serve) { IsBackground = true };
        _thread.Start();
    }

    internal NetlinkChannel Channel { get; }

    internal ConcurrentQueue<byte[]> Requests { get; } = new();

    /// <summary>A client of this kernel that waits 5 s, or as long as given. The client owns the channel.</summary>
    internal NetlinkSocket Connect(int milliseconds = 5000) => new(Channel, TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>One datagram without being asked.</summary>
    internal void Push(byte[] datagram) => _socket.Send(datagram);

    public void Dispose()
    {
        _socket.Shutdown(SocketShutdown.Both);
        Assert.True(_thread.Join(TimeSpan.FromSeconds(10)), "the fake kernel did not end");
        _socket.Dispose();
    }

    private void Serve()
    {
        byte[] buffer = new byte[64 * 1024];
        while (_socket.Receive(buffer) is > 0 and int length)
        {
            byte[] request = buffer[..length];
            Requests.Enqueue(request);
            foreach (byte[] datagram in _answer(request))
            {
                try
                {
                    _socket.Send(datagram);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionRefused)
                {
                    // The client is gone, with or without its test having failed: that is for the test to say.
                    return;
                }
            }
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial int socketpair(int domain, int type, int protocol, int* sv);
}
