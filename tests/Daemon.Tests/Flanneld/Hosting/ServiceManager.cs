using System.Net.Sockets;
using System.Text;

namespace FlannelFast.Daemon.Tests.Flanneld.Hosting;

/// <summary>The service manager's end of NOTIFY_SOCKET.</summary>
internal sealed class ServiceManager : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _heard = [];

    public ServiceManager(string path)
    {
        Path = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
    }

    public string Path { get; }

    /// <summary>Everything told so far, one item a notification.</summary>
    public string[] Heard()
    {
        byte[] buffer = new byte[4096];
        while (_socket.Available > 0) _heard.Add(Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer)));
        return [.. _heard];
    }

    public void Dispose() => _socket.Dispose();
}
