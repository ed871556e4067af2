using System.Diagnostics.CodeAnalysis;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// Tells of changes to links, addresses and routes in the network namespace of the thread that made it. Subscribed
/// before the constructor returns: make the monitor first and read the state after, and nothing falls between.
/// </summary>
internal sealed class NetlinkMonitor : IDisposable
{
    /// <summary>Room for the notifications of about a thousand changes that come at once.</summary>
    internal const int DefaultReceiveBuffer = 1 << 20;

    private static readonly uint[] s_groups =
    [
        Libc.RTNLGRP_LINK,
        Libc.RTNLGRP_IPV4_IFADDR,
        Libc.RTNLGRP_IPV6_IFADDR,
        Libc.RTNLGRP_IPV4_ROUTE,
        Libc.RTNLGRP_IPV6_ROUTE,
    ];

    private readonly NetlinkChannel _channel;
    private readonly Action<NetworkChange> _onChange;
    private readonly NetlinkParser<NetworkChange> _parser;
    private readonly Thread _thread;
    private volatile bool _stopping;
    private bool _disposed;

    /// <summary>Subscribes and starts.</summary>
    /// <param name="onChange">
    /// Called on the monitor's thread, one change after the other. While it runs, changes queue in the kernel. An exception
    /// out of it ends the process, as on any thread.
    /// </param>
    /// <param name="receiveBuffer">Bytes the kernel may queue before changes are lost (<see cref="Overrun"/>).</param>
    /// <exception cref="NetlinkException">The subscription is refused.</exception>
    internal NetlinkMonitor(Action<NetworkChange> onChange, int receiveBuffer = DefaultReceiveBuffer)
        : this(NetlinkChannel.Open(s_groups, receiveBuffer), onChange)
    {
    }

    /// <summary>
    /// As the other, and tells of neighbours and forwarding entries too: those of all links, and of a host with many pods there are many.
    /// </summary>
    internal static NetlinkMonitor WithNeighbours(Action<NetworkChange> onChange, int receiveBuffer = DefaultReceiveBuffer) =>
        new(NetlinkChannel.Open([.. s_groups, Libc.RTNLGRP_NEIGH], receiveBuffer), onChange);

    /// <summary>Listens on an open channel, owned from here on.</summary>
    /// <param name="channel">Subscribed.</param>
    /// <param name="onChange">As above.</param>
    /// <param name="parser">What a message means; not given, that of NETLINK_ROUTE. Other protocols have the same numbers for other messages.</param>
    internal NetlinkMonitor(NetlinkChannel channel, Action<NetworkChange> onChange, NetlinkParser<NetworkChange>? parser = null)
    {
        _channel = channel;
        _onChange = onChange;
        _parser = parser ?? TryParseRoute;
        _thread = new(Run) { IsBackground = true, Name = "netlink-monitor" };
        _thread.Start();
    }

    /// <summary>
    /// Stops at once, even in the middle of a burst, and waits for a call of the callback that is under way; none follows.
    /// Not from within the callback: it would wait for itself.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _stopping = true;
        _channel.Wake();
        _thread.Join();
        _channel.Dispose();
    }

    private void Run()
    {
        SysResult end;
        do
        {
            end = Drain();
            if (end.Errno == Errno.EAGAIN) end = _channel.Wait(Timeout.Infinite);
        }
        while (end.IsSuccess && !_stopping);
        if (!_stopping) _onChange(new MonitorFailed(new(end.Errno, "receive netlink notifications")));
    }

    /// <summary>Hands on what is queued. EAGAIN is the ordinary end; success means stopping.</summary>
    private SysResult Drain()
    {
        while (!_stopping)
        {
            SysResult received = _channel.TryReceive(out ReadOnlySpan<byte> datagram);
            if (received.IsSuccess && Dispatch(datagram)) continue;
            if (received.IsError && received.Errno != Errno.ENOBUFS) return received;
            // What is still queued is older than what was lost: handed on after the consumer has read everything again, it
            // would undo newer state.
            SysResult discarded = _channel.Discard();
            if (discarded.IsError) return discarded;
            if (!_stopping) _onChange(new Overrun());
        }
        return new(0);
    }

    /// <summary>False if the datagram is not whole, so that something in it is lost.</summary>
    private bool Dispatch(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (!_stopping && messages.TryRead(out NetlinkMessage message))
        {
            if (_parser(message, out NetworkChange? change)) _onChange(change);
        }
        return _stopping || !messages.IsMalformed;
    }

    private static bool TryParseRoute(NetlinkMessage message, [NotNullWhen(true)] out NetworkChange? change)
    {
        change = ToChange(message);
        return change is not null;
    }

    private static NetworkChange? ToChange(NetlinkMessage message)
    {
        if (Link.TryParse(message, out Link? link))
            return message.Type == Libc.RTM_DELLINK ? new LinkRemoved(link) : new LinkChanged(link);
        if (InterfaceAddress.TryParse(message, out InterfaceAddress? address))
            return message.Type == Libc.RTM_DELADDR ? new AddressRemoved(address) : new AddressAdded(address);
        if (Route.TryParse(message, out Route? route) && !route.IsCached)
            return message.Type == Libc.RTM_DELROUTE ? new RouteRemoved(route) : new RouteAdded(route);
        if (Neighbour.TryParse(message, out Neighbour? neighbour))
            return message.Type == Libc.RTM_DELNEIGH ? new NeighbourRemoved(neighbour) : new NeighbourChanged(neighbour);
        if (FdbEntry.TryParse(message, out FdbEntry? entry))
            return message.Type == Libc.RTM_DELNEIGH ? new FdbEntryRemoved(entry) : new FdbEntryChanged(entry);
        return null;
    }
}
