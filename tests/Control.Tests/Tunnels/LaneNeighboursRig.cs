using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

/// <summary>Hosts 192.0.2.N with the devices 10.5.N.0, whose hellos take a millisecond and may be lost.</summary>
public abstract class LaneNeighboursRig
{
    private readonly Queue<(int From, int To, LaneHello Hello)> _wire = new();
    private LaneHello _passing;

    private protected static TimeSpan Step { get; } = TimeSpan.FromMilliseconds(1);

    private protected ManualTimeProvider Time { get; } = new();

    private protected Dictionary<int, Host> Hosts { get; } = [];

    /// <summary>Whether a hello from one host to another does not arrive.</summary>
    private protected Func<int, int, bool> IsLost { get; set; } = (_, _) => false;

    private protected (Host One, Host Two) Pair()
    {
        (Host one, Host two) = (Add(1, 2), Add(2, 1));
        one.Neighbours.Announce(true);
        two.Neighbours.Announce(true);
        return (one, two);
    }

    private protected (Host One, Host Two) Met()
    {
        (Host one, Host two) = Pair();
        one.Use(2);
        Pass(LaneNeighbours.LookInterval + 4 * Step);
        Assert.Equal(("2", "1"), (one.Open, two.Open));
        return (one, two);
    }

    /// <summary>What a host says while there are packets in both directions.</summary>
    private protected LaneHello[] Record(int from, TimeSpan time)
    {
        List<LaneHello> said = [];
        Func<int, int, bool> isLost = IsLost;
        IsLost = (sender, to) =>
        {
            if (sender == from) said.Add(_passing);
            return isLost(sender, to);
        };
        Pass(time, [.. Hosts.Values]);
        IsLost = isLost;
        return [.. said];
    }

    private protected Host Add(int number, params int[] peers) => Hosts[number] = new(number, Time, Table(number, peers), (to, hello) => _wire.Enqueue((number, to, hello)));

    /// <summary>Time passes, with a packet for everybody from the hosts in <paramref name="busy"/> every second.</summary>
    private protected void Pass(TimeSpan time, params Host[] busy)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += Step)
        {
            Time.Advance(Step);
            long ms = Time.GetTimestamp() / TimeSpan.TicksPerMillisecond;
            for (int waiting = _wire.Count; waiting > 0; waiting--)
            {
                (int from, int to, LaneHello hello) = _wire.Dequeue();
                _passing = hello;
                if (!IsLost(from, to) && Hosts.TryGetValue(to, out Host? host)) host.Neighbours.Hear(Device(from), hello);
            }
            if (ms % 1000 == 0) foreach (Host host in busy) host.UseAll();
            if (ms % (long)LaneNeighbours.LookInterval.TotalMilliseconds != 0) continue;
            foreach (Host host in Hosts.Values) host.Neighbours.Look();
        }
    }

    private protected static IPAddress Device(int number) => new([10, 5, (byte)number, 0]);

    private protected static PeerTable Table(int number, params int[] peers) =>
        PeerTable.Build([new(Device(number), 24)], [.. peers.Select(n => new Peer(new(Device(n), 24), new([192, 0, 2, (byte)n])))], null, 1);

    private protected sealed class Host
    {
        internal Host(int number, TimeProvider time, PeerTable table, Action<int, LaneHello> send)
        {
            (Number, Table) = (number, table);
            Neighbours = new(time, () => Table, (t, peer) => t.EgressPackets(t.EndpointOf(peer)), (to, hello) =>
            {
                Sent++;
                // As the engine does with what the socket says.
                Count(to);
                send(to.GetAddressBytes()[2], hello);
            })
            { Changed = () => Changes++ };
        }

        internal int Number { get; }

        internal PeerTable Table { get; set; }

        internal LaneNeighbours Neighbours { get; }

        internal int Sent { get; set; }

        internal int Changes { get; private set; }

        internal IEnumerable<int> OpenHosts => Neighbours.Open().Select(host => (int)host.GetAddressBytes()[3]).Order();

        internal string Open => string.Join(' ', OpenHosts);

        /// <summary>A packet is sent to a host.</summary>
        internal void Use(int number) => Count(Device(number));

        internal void UseAll()
        {
            foreach (Peer peer in Table.Peers) Use(peer.PublicIP.GetAddressBytes()[3]);
        }

        private void Count(IPAddress device)
        {
            int peer = Table.Find((uint)Prefix.ToNumber(device));
            if (peer >= 0) Table.Counters(0, Table.EndpointOf(peer)).EgressPackets++;
        }
    }
}
