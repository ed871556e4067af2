using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Which hosts have their express lane open, of those that packets are sent to. They are asked, because a lane's packets are for lanes only: over veth they arrive with inner checksums that
/// nobody has computed and super-packets that nobody has cut (CHECKSUM_PARTIAL and SKB_GSO_UDP_TUNNEL go with the packet to the other network namespace), of which a program that reads
/// the datagram from a socket, as stock flannel does, is told nothing. Any thread.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="peers">The peers in use; another table after every change.</param>
/// <param name="countPackets">Packets sent to the host of one of the peers, by the engine and the lane together; may throw <see cref="IOException"/>.</param>
/// <param name="send">Sends a hello to a TUN device's address; one that is lost is no error.</param>
internal sealed class LaneNeighbours(TimeProvider time, Func<PeerTable> peers, Func<PeerTable, int, long> countPackets, Action<IPAddress, LaneHello> send)
{
    /// <summary>Between two looks at what is to be done.</summary>
    internal static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Between hellos to a host that answers, where there are few: more of them are spoken to less often.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Until a host that packets are sent to is asked for the second time, and at most between two questions: stock hosts never answer.</summary>
    internal static readonly TimeSpan FirstPatience = TimeSpan.FromMilliseconds(400), LastPatience = TimeSpan.FromSeconds(60);

    /// <summary>A host that nothing but hellos is sent to is not asked any more after this time.</summary>
    internal static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(5);

    /// <summary>Intervals without an answer, in quarters, after which a lane counts as closed.</summary>
    private const int MissedQuarters = 14;

    private const int HellosPerSecond = 250;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, LaneNeighbour> _known = [];
    private PeerTable? _table;
    private HashSet<IPAddress>? _open;
    private bool _isOpen;
    private int _heard;
    private long _looks;

    /// <summary>Why no host can be asked, in one clause; null where they can.</summary>
    internal string? Obstacle { get; set; }

    /// <summary>The hosts with an open lane have changed; on any thread, and briefly.</summary>
    internal Action? Changed { get; set; }

    /// <summary>True if <see cref="Open"/> would give another set than the last one.</summary>
    internal bool HasChanged
    {
        get
        {
            lock (_lock) return _open is null;
        }
    }

    /// <summary>PublicIPs of the hosts with an open lane: a set that stays as it is.</summary>
    internal IReadOnlySet<IPAddress> Open()
    {
        lock (_lock) return _open ??= [.. _known.Values.Where(neighbour => neighbour.IsOpen).Select(neighbour => neighbour.Host)];
    }

    /// <summary>Our own lane opened or is about to close: everybody who was heard is told.</summary>
    internal void Announce(bool isOpen)
    {
        lock (_lock)
        {
            _isOpen = isOpen;
            TimeSpan interval = CurrentInterval();
            foreach (LaneNeighbour neighbour in _known.Values)
            {
                if (neighbour.Theirs == 0) continue;
                // While it was closed here nobody was asked.
                if (isOpen && time.GetElapsedTime(neighbour.Confirmed) > interval) SetOpen(neighbour, false);
                Say(neighbour, wantsAnswer: isOpen);
                neighbour.Due = After(interval);
            }
        }
    }

    /// <summary>A hello arrived.</summary>
    /// <param name="from">Its source address.</param>
    /// <param name="hello">What it says.</param>
    internal void Hear(IPAddress from, LaneHello hello)
    {
        lock (_lock)
        {
            PeerTable table = Follow();
            if (PeerWithDevice(table, from) is not { } peer) return;
            LaneNeighbour neighbour = Know(table, peer);
            if (neighbour.Theirs == 0)
            {
                _heard++;
                neighbour.Used = time.GetTimestamp();
            }
            (neighbour.Theirs, neighbour.Device) = (hello.Mine, from);
            bool isHeard = hello.Yours == neighbour.Mine || hello.Yours == neighbour.Before;
            if (isHeard) (neighbour.Confirmed, neighbour.Patience) = (time.GetTimestamp(), FirstPatience);
            // One that does not know our number has just started, and has not heard from us; or it is an old hello that somebody sends again.
            SetOpen(neighbour, isHeard && hello.IsOpen);
            if (!isHeard || hello.WantsAnswer) Say(neighbour, wantsAnswer: !isHeard);
        }
    }

    /// <summary>Asks those that are to be asked, and gives up those that have not answered. To be called every <see cref="LookInterval"/>.</summary>
    internal void Look()
    {
        lock (_lock)
        {
            PeerTable table = Follow();
            if (!_isOpen) return;
            _looks++;
            Notice(table);
            TimeSpan interval = CurrentInterval();
            foreach (LaneNeighbour neighbour in _known.Values)
            {
                if (neighbour.Theirs == 0) continue;
                if (IsGone(neighbour, interval)) SetOpen(neighbour, false);
                if (time.GetElapsedTime(neighbour.Drawn) > GoneAfter(interval)) neighbour.Draw(time.GetTimestamp(), keepsOne: true);
                if (time.GetTimestamp() < neighbour.Due) continue;
                if (!IsIdle(table, neighbour)) Ask(table, neighbour, interval);
                // What it asks keeps it, while it has packets for us.
                else if (neighbour.IsOpen) neighbour.Due = After(interval);
                else GiveUp(table, neighbour);
            }
        }
    }

    /// <summary>Speaks to a host that was heard before, more often while it owes an answer. One that is gone is asked as one that was never heard: it may have another device now.</summary>
    private void Ask(PeerTable table, LaneNeighbour neighbour, TimeSpan interval)
    {
        Say(neighbour, wantsAnswer: true);
        TimeSpan silence = time.GetElapsedTime(neighbour.Confirmed);
        neighbour.Due = After(silence > interval * 5 / 4 ? interval / 5 : interval);
        if (!IsGone(neighbour, interval)) return;
        GiveUp(table, neighbour);
        neighbour.Due = After(Wait(neighbour));
    }

    /// <summary>Asks the hosts that the engine has sent packets to, and that were never heard, at each of their leases: one may be older than the host's device.</summary>
    private void Notice(PeerTable table)
    {
        for (int peer = 0; peer < table.Peers.Count; peer++)
        {
            long packets = table.EgressPackets(table.EndpointOf(peer));
            if (packets == 0 || table.Peers[peer].Subnet.BaseAddress.AddressFamily != AddressFamily.InterNetwork) continue;
            LaneNeighbour neighbour = Know(table, peer);
            if (neighbour.Theirs != 0) continue;
            if (neighbour.AskedIn != _looks)
            {
                if (!neighbour.Count(packets) || time.GetTimestamp() < neighbour.Due) continue;
                (neighbour.AskedIn, neighbour.Due) = (_looks, After(Wait(neighbour)));
            }
            neighbour.Device = table.Peers[peer].Subnet.BaseAddress;
            Say(neighbour, wantsAnswer: true);
        }
    }

    private bool IsIdle(PeerTable table, LaneNeighbour neighbour)
    {
        try
        {
            if (neighbour.Count(countPackets(table, PeerWithDevice(table, neighbour.Device)!.Value))) neighbour.Used = time.GetTimestamp();
        }
        catch (IOException)
        {
            // The lane's counters cannot be read: it counts as used.
            neighbour.Used = time.GetTimestamp();
        }
        return time.GetElapsedTime(neighbour.Used) > IdleLimit;
    }

    private void Say(LaneNeighbour neighbour, bool wantsAnswer)
    {
        neighbour.Hellos++;
        send(neighbour.Device, new(_isOpen, wantsAnswer, neighbour.Theirs, neighbour.Mine));
    }

    private static TimeSpan Wait(LaneNeighbour neighbour)
    {
        TimeSpan now = neighbour.Patience;
        neighbour.Patience = now * 2 < LastPatience ? now * 2 : LastPatience;
        return now;
    }

    private LaneNeighbour Know(PeerTable table, int peer)
    {
        (IPNetwork subnet, IPAddress host) = (table.Peers[peer].Subnet, table.Peers[peer].PublicIP);
        if (_known.TryGetValue(host, out LaneNeighbour? known)) return known;
        known = new(host, subnet.BaseAddress) { Patience = FirstPatience, Used = time.GetTimestamp() };
        known.Draw(time.GetTimestamp(), keepsOne: false);
        _known.Add(host, known);
        return known;
    }

    /// <summary>The peer whose device has an address: flannel gives it the first one of the subnet.</summary>
    private static int? PeerWithDevice(PeerTable table, IPAddress device)
    {
        int peer = table.Find((uint)Prefix.ToNumber(device));
        return peer >= 0 && table.Peers[peer].Subnet.BaseAddress.Equals(device) ? peer : null;
    }

    private PeerTable Follow()
    {
        PeerTable table = peers();
        if (ReferenceEquals(table, _table)) return table;
        _table = table;
        foreach (LaneNeighbour neighbour in _known.Values)
        {
            bool isPeer = PeerWithDevice(table, neighbour.Device) is { } peer && table.Peers[peer].PublicIP.Equals(neighbour.Host);
            if (!isPeer) Forget(neighbour);
        }
        return table;
    }

    private void Forget(LaneNeighbour neighbour)
    {
        SetUnheard(neighbour);
        _known.Remove(neighbour.Host);
    }

    /// <summary>As if it had never been heard; the next packet for it has it asked.</summary>
    private void GiveUp(PeerTable table, LaneNeighbour neighbour)
    {
        SetUnheard(neighbour);
        neighbour.Packets = table.EgressPackets(table.EndpointOf(PeerWithDevice(table, neighbour.Device)!.Value));
    }

    private void SetUnheard(LaneNeighbour neighbour)
    {
        SetOpen(neighbour, false);
        if (neighbour.Theirs != 0) _heard--;
        neighbour.Theirs = 0;
    }

    private void SetOpen(LaneNeighbour neighbour, bool isOpen)
    {
        if (neighbour.IsOpen == isOpen) return;
        neighbour.IsOpen = isOpen;
        // Nothing that it said while it was open makes it open again.
        if (!isOpen) neighbour.Draw(time.GetTimestamp(), keepsOne: false);
        _open = null;
        Changed?.Invoke();
    }

    private bool IsGone(LaneNeighbour neighbour, TimeSpan interval) => time.GetElapsedTime(neighbour.Confirmed) > GoneAfter(interval);

    private static TimeSpan GoneAfter(TimeSpan interval) => interval * MissedQuarters / 4;

    private TimeSpan CurrentInterval()
    {
        TimeSpan paced = TimeSpan.FromSeconds((double)_heard / HellosPerSecond);
        return paced > Interval ? paced : Interval;
    }

    private long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
}
