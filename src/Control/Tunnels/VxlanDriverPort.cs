using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// The kernel's VXLAN driver listening at a UDP port of this host: a device, which no packet is meant for, in a namespace of its own, where nobody sees it and from where it goes when
/// this process does. A socket of the driver belongs to the namespace of whoever asked for the device, not to the device's (drivers/net/vxlan, vxlan_newlink).
/// </summary>
internal sealed class VxlanDriverPort : IDisposable
{
    private const string Name = "flannelfast-gro";
    private const int Mtu = 1500;

    /// <summary>After a daemon was killed its device is still there for some milliseconds.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1), s_interval = TimeSpan.FromMilliseconds(20);

    private readonly HiddenNamespace _place;
    private readonly Link _link;
    private readonly Lock _gate = new();
    private bool _isClosed;

    private VxlanDriverPort(HiddenNamespace place, Link link) => (_place, _link) = (place, link);

    /// <summary>Begins to listen, at all IPv4 addresses: the driver can do no other.</summary>
    /// <param name="host">Of the namespace whose port it is; not owned.</param>
    /// <param name="options">Port and VNI.</param>
    /// <exception cref="IOException">The kernel refused: the port is taken, there is no such driver, or a right is missing.</exception>
    internal static VxlanDriverPort Open(NetlinkClient host, EngineOptions options)
    {
        HiddenNamespace place = HiddenNamespace.Create();
        try
        {
            VxlanAttributes attributes = new() { Vni = (uint)options.Vni, Port = options.Port };
            long deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
            while (true)
            {
                try
                {
                    Link link = place.Netlink.Links.Find(Name) ?? Create(host, options.Mac, attributes, place);
                    place.Netlink.Links.SetUp(link);
                    return new(place, link);
                }
                catch (NetlinkException busy) when (busy.Errno is Errno.EEXIST or Errno.EADDRINUSE && Environment.TickCount64 < deadline)
                {
                    Thread.Sleep(s_interval);
                }
            }
        }
        catch
        {
            place.Dispose();
            throw;
        }
    }

    private static Link Create(NetlinkClient host, MacAddress mac, VxlanAttributes attributes, HiddenNamespace place) =>
        host.Vxlan.TryCreate(Name, mac, Mtu, attributes, place.Handle)
            ? place.Netlink.Links.Get(Name)
            : throw new NetlinkException(Errno.EEXIST, $"listen at UDP port {attributes.Port} with the VXLAN driver", "a VXLAN device of this port and VNI exists");

    /// <summary>Datagrams of our VNI that the driver got: they came past the program that hands them to the engine, and are lost. 0 once closed. Any thread.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    internal long ReadStrays()
    {
        lock (_gate) return _isClosed ? 0 : _place.Netlink.Links.ReadArrivals(_link.Index);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed) return;
            _isClosed = true;
            try
            {
                // At once, unlike the end of the namespace: the port is free when this returns.
                _place.Netlink.Links.TryDelete(_link);
            }
            catch (NetlinkException)
            {
                // It goes with its namespace, some milliseconds later. Whoever wants the port until then is told that it is taken, and tries again.
            }
            finally
            {
                _place.Dispose();
            }
        }
    }
}
