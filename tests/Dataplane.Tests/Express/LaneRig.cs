using System.Buffers.Binary;
using System.Net;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Tests.Engine;

namespace FlannelFast.Dataplane.Tests.Express;

/// <summary>The programs at the underlay's way in, in the network of <see cref="WorkerRig{T}"/>, loaded into the kernel but attached to nothing.</summary>
internal sealed class LaneRig : IDisposable
{
    internal const int EthernetLength = 14, OuterLength = 28;

    private static readonly uint s_local = TestPackets.Ip("192.0.2.1");

    private readonly NativeFd _ingress, _xdp;

    internal LaneRig(bool vxlan, bool mixed, params string[] reached)
    {
        IsVxlan = vxlan;
        Maps = new();
        using var rig = Rigs.Udp();
        // A peer of another size, with whom nobody talks, makes a trie of the hash.
        Peer[] more = mixed ? [new(IPNetwork.Parse("10.6.0.0/28"), IPAddress.Parse("192.0.2.9"))] : [];
        Maps.Apply(PeerTable.Build([IPNetwork.Parse("10.5.1.0/24")], [.. rig.Peers.Peers, .. more], null, 1), new(reached.Select(IPAddress.Parse).ToHashSet(), new HashSet<IPAddress>()));
        Facts = new()
        {
            Road = new() { TunIndex = 1, UnderlayIndex = 1, UnderlayMtu = 1500, Tcp = true, Xdp = true },
            IsVxlan = vxlan,
            LocalAddress = s_local,
            Port = vxlan ? Vxlan.DefaultPort : IpInUdp.DefaultPort,
            CheckSourcePort = true,
            SpreadsSourcePorts = true,
            Vni = 1,
            Mac = WorkerRig<Vxlan>.OurMac.InMemory,
            Subnet = Prefix.From(IPNetwork.Parse("10.5.1.0/24")),
            Maps = Maps,
            Mark = 0x12345678,
        };
        _ingress = Bpf.LoadProgram("ff_ingress", IngressProgram.Write(Facts));
        _xdp = Bpf.LoadProgram("ff_xdp", XdpProgram.Write(Facts), Libc.BPF_PROG_TYPE_XDP);
    }

    internal bool IsVxlan { get; }

    internal LaneMaps Maps { get; }

    internal LaneFacts Facts { get; }

    internal (int Verdict, byte[] Frame) Receive(byte[] frame) => ProgramRun.On(_ingress, frame);

    /// <summary>By the program in the driver: what it takes out has the mark in front.</summary>
    internal (int Verdict, byte[] Frame) ReceiveInDriver(byte[] frame) => ProgramRun.On(_xdp, frame);

    /// <summary>An Ethernet frame with a datagram from a host, its outer UDP checksum 0 as a lane sends it. To the loopback interface, on which the kernel runs it (BPF_PROG_TEST_RUN).</summary>
    internal byte[] Frame(byte[] datagram, uint source, int? sourcePort = null)
    {
        byte[] udp = new byte[8 + datagram.Length];
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)(sourcePort ?? Facts.Port));
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), (ushort)Facts.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        datagram.CopyTo(udp, 8);
        return [0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 8, 0, .. TestPackets.Ipv4(source, s_local, 17, udp, fragment: 0)];
    }

    internal byte[] Encapsulate(byte[] packet) => IsVxlan ? TestPackets.Vxlan(packet, WorkerRig<Vxlan>.OurMac.Value, WorkerRig<Vxlan>.Mac2.Value, 1) : packet;

    /// <summary>Another length with a checksum that fits, or a wrong checksum, in one of seven IPv4 packets.</summary>
    internal static void DamageSometimes(byte[] packet, Random random)
    {
        if (random.Next(10) == 0)
        {
            packet[2 + random.Next(2)] ^= (byte)(1 << random.Next(8));
            TestPackets.FixHeaderChecksum(packet);
        }
        if (random.Next(20) == 0) packet[10] ^= 1;
    }

    public void Dispose()
    {
        _ingress.Dispose();
        _xdp.Dispose();
        Maps.Dispose();
    }
}
