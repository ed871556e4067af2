using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Keeps the express lane of one tunnel open while the host allows it, for the peers that are reached over its interface. The engine is called only when
/// something is to change. One thread, except where a member says otherwise.
/// </summary>
/// <param name="host">The host, not owned.</param>
/// <param name="use"><see cref="PacketEngine.UseExpressLane"/>.</param>
/// <param name="isOpen"><see cref="PacketEngine.IsExpressLaneOpen"/>: the engine closes it by itself, too.</param>
/// <param name="peers">The peers in use; another list after every change.</param>
/// <param name="neighbours">Which hosts have a lane, too; null where that makes no difference.</param>
/// <param name="log">Told when the lane opens and closes.</param>
internal sealed class ExpressLaneKeeper(
    IExpressHost host, Action<ExpressRoad?, LaneEndpoints> use, Func<bool> isOpen, Func<IReadOnlyList<Peer>> peers, LaneNeighbours? neighbours, ILogger log)
{
    /// <summary>Answers that the same request will get again: rights, or a kernel without what is needed.</summary>
    private static readonly int[] s_final = [Errno.EPERM, Errno.EACCES, Errno.EINVAL, Errno.ENOSYS, Errno.EOPNOTSUPP];

    /// <summary>Audits, one every 30 s, for which a port is not lent again after datagrams were lost: ten minutes, then twice as long every time, at most a day.</summary>
    internal const int FirstStrayPause = 20, LastStrayPause = 2880;

    private readonly ExpressEndpoints _endpoints = new(host.FindLinks);
    private volatile ExpressLaneState _state = new(null, "being prepared");
    private volatile Link? _underlay;
    private string _device = "";
    private ExpressRoadSearch _found = ExpressRoadSearch.Closed("being prepared");
    private ExpressRoad? _road;
    private ExpressRoad? _roadInUse;
    private LaneEndpoints _endpointsInUse = LaneEndpoints.None;
    private readonly Dictionary<ExpressRoad, string> _refusedRoads = [];
    private Refusal? _refusal;
    private string? _strays;
    private int _strayPause = FirstStrayPause, _auditsToLending;
    private bool _isCloseDue;
    private string? _logged;

    private sealed record Refusal(ExpressRoad Road, string Message, bool IsFinal);

    /// <summary>For the status. Any thread.</summary>
    internal ExpressLaneState State => _state;

    /// <summary>Whether <see cref="Look"/> is due after a change on the host; what it puts in doubt is remembered. Any thread.</summary>
    /// <param name="change">What happened.</param>
    /// <param name="tun">Index of the tunnel's own device: its routes lead into the tunnel, not to peers.</param>
    internal bool IsConcernedBy(NetworkChange change, int tun)
    {
        switch (change)
        {
            case IpsecPolicyChanged:
                return true;
            case RouteAdded { Route: var route }:
                return route.LinkIndex != tun && _endpoints.Doubt(route.Destination);
            case RouteRemoved { Route: var route }:
                return route.LinkIndex != tun && _endpoints.Doubt(route.Destination);
            // The kernel says nothing of the IPv4 routes that go with these (see RouteRemoved).
            case LinkChanged { Link: var link } when link.Index == _underlay?.Index:
                if (link.IsUp != _underlay?.IsUp) _endpoints.DoubtAll();
                return true;
            case LinkRemoved { Link: var link } when link.Index == _underlay?.Index:
                _endpoints.DoubtAll();
                return true;
            case AddressRemoved { Address: var address } when address.LinkIndex == _underlay?.Index:
                _endpoints.DoubtAll();
                return true;
            case Overrun or MonitorFailed:
                _endpoints.DoubtAll();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Looks at the host and the peers; closes the lane, moves it, or prepares its opening.</summary>
    /// <param name="config">The tunnel as it is now.</param>
    /// <param name="isAudit">Asks about everything again, and tries again what the kernel refused.</param>
    internal void Look(TunnelConfig config, bool isAudit)
    {
        _device = config.Device;
        if (_roadInUse is not null && !isOpen()) LeaveRoad();
        // An open lane is not closed only to see whether the kernel would do more for it now.
        if (_roadInUse is null) _refusedRoads.Clear();
        if (isAudit)
        {
            _endpoints.DoubtAll();
            if (_refusal is { IsFinal: false }) _refusal = null;
            LookForStrays();
        }
        ExpressRoadSearch found = _found = ExpressRoadSearch.Find(config, host);
        bool hasMoved = found.Underlay is not null && found.Underlay.Index != _underlay?.Index;
        if (hasMoved) _endpoints.Forget();
        // Also watched while the lane is closed for another reason: what is known of the routes stays true.
        _underlay = found.Underlay ?? _underlay;
        _road = Choose();
        if ((_road is null ? found.Reason ?? _refusal!.Message : neighbours?.Obstacle) is { } obstacle)
        {
            _road = null;
            Close(obstacle);
            return;
        }
        _isCloseDue = false;
        if (hasMoved) Close("routes to the peers are being looked up");
        _endpoints.Follow(peers());
        // An open lane changes at once; one that is closed opens when all peers' routes are known.
        if (_endpoints.IsComplete || _roadInUse is not null) Use();
    }

    /// <summary>Asks for the routes to some of the peers that <see cref="Look"/> found to be unknown or in doubt.</summary>
    /// <returns>True if there are more.</returns>
    internal bool Ask()
    {
        if (_road is null || _endpoints.IsComplete) return false;
        bool hasLeft;
        try
        {
            hasLeft = _endpoints.AskNext(_road.UnderlayIndex);
        }
        catch (IOException refused)
        {
            Close(refused.Message);
            return false;
        }
        // A peer that is reached by another way now must not wait for the answers about the others.
        if (_endpoints.IsComplete || (hasLeft && _roadInUse is not null)) Use();
        return _road is not null && !_endpoints.IsComplete;
    }

    /// <summary>Brings the engine to the road and the endpoints as they are known.</summary>
    private void Use()
    {
        ExpressRoad road = _road!;
        if (_roadInUse == road && !_endpoints.HasChanged && neighbours is not { HasChanged: true }) return;
        HashSet<IPAddress> reached = _endpoints.Over(road.UnderlayIndex);
        var endpoints = new LaneEndpoints(reached, neighbours?.Open() ?? reached);
        if (_roadInUse == road && endpoints.IsSameAs(_endpointsInUse)) return;
        try
        {
            use(road, endpoints);
        }
        catch (Exception refused) when (refused is IOException or InvalidOperationException)
        {
            // The engine has closed whatever was open.
            LeaveRoad();
            if (road != _found.Plain)
            {
                _refusedRoads[road] = refused.Message;
                log.LaneWithout(road.Gro ? "VXLAN GRO" : "XDP", _underlay!.Name, refused.Message);
                _road = Choose();
                Use();
                return;
            }
            bool isFinal = refused is not IOException || (refused is ErrnoException { Errno: var errno } && s_final.Contains(errno));
            (_refusal, _road) = (new(road, refused.Message, isFinal), null);
            Tell(refused.Message);
            return;
        }
        bool isNew = _roadInUse != road;
        (_roadInUse, _endpointsInUse, _refusal, _logged) = (road, endpoints, null, null);
        _state = new(_underlay!.Name, null) { XdpRefusal = WhyNot(other => other.Xdp), GroRefusal = WhyNot(other => other.Gro) };
        if (!isNew) return;
        neighbours?.Announce(true);
        log.ExpressLaneOpen(_device, _underlay.Name, ExpressLaneState.Carries(road.Tcp, road.Xdp, road.Gro), (neighbours, reached.Count) switch
        {
            ({ }, _) => "hosts that have one, too",
            (_, 1) => "1 host",
            _ => $"{reached.Count} hosts",
        });
    }

    /// <summary>The best road that is not refused; null if not even the plain one is left.</summary>
    private ExpressRoad? Choose() => _found.Plain is { } plain && _refusal?.Road != plain ? _found.Roads.First(road => WhyNot(road) is null) : null;

    private string? WhyNot(ExpressRoad road) => _refusedRoads.GetValueOrDefault(road) ?? (road.Gro ? _strays : null);

    /// <summary>Why the lane does without a road of this kind; null where it does not, or there is none.</summary>
    private string? WhyNot(Func<ExpressRoad, bool> kind) => _found.Roads.Where(kind).Select(WhyNot).FirstOrDefault();

    /// <summary>Datagrams that the program at the underlay's way in does not see are lost while the port is lent, so it is not lent again for some time.</summary>
    private void LookForStrays()
    {
        if (_strays is not null && --_auditsToLending == 0) _strays = null;
        if (_roadInUse is not { Gro: true }) return;
        try
        {
            long strays = host.CountStrays();
            if (strays == 0) return;
            _strays = $"{strays} {(strays == 1 ? "datagram was" : "datagrams were")} lost that came in fragments or by another interface";
            (_auditsToLending, _strayPause) = (_strayPause, Math.Min(2 * _strayPause, LastStrayPause));
            log.LaneWithout("VXLAN GRO", _underlay!.Name, _strays);
        }
        catch (IOException)
        {
            // Asked again at the next audit.
        }
    }

    private void Close(string reason)
    {
        if (_roadInUse is null && !_isCloseDue)
        {
            _state = new(null, reason);
            return;
        }
        // While it is still open: so the announcement is on its way at once, and before what the engine sends.
        LeaveRoad();
        try
        {
            use(null, LaneEndpoints.None);
            _isCloseDue = false;
            Tell(reason);
        }
        catch (IOException refused)
        {
            // The lane is closed, but the tunnel's port is not back; packets still arrive. Tried again at the next look.
            _isCloseDue = true;
            Tell($"{reason}; {refused.Message}");
        }
    }

    private void LeaveRoad()
    {
        _roadInUse = null;
        neighbours?.Announce(false);
    }

    /// <summary>Once for a reason that stays the same.</summary>
    private void Tell(string reason)
    {
        _state = new(null, reason);
        if (_logged == reason) return;
        _logged = reason;
        log.ExpressLaneClosed(reason);
    }
}
