using BenchmarkDotNet.Attributes;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Tests.Packets;

namespace FlannelFast.Bench.Micro;

/// <summary>What is done once per packet: writing the VXLAN header, choosing the source port, checking a received one, checking the inner IPv4 header, lowering the TTL.</summary>
public unsafe class HeaderBenchmark : IValidated
{
    private const int Packets = 1_024;
    private static readonly MacAddress s_ours = new(0x0a0000000001), s_peer = new(0x0a0000000002);

    private readonly byte[] _datagram = GC.AllocateArray<byte>(2_048, pinned: true);
    private readonly Vxlan _sender = new(1, s_ours, false);
    private readonly Vxlan _receiver = new(1, s_peer, false);
    private readonly FlowHash _flows = new(new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    private ulong _peerMac;
    private int _length;

    [GlobalSetup]
    public void Setup()
    {
        byte[] packet = new PacketSpec { Payload = new byte[100] }.Build();
        packet.CopyTo(_datagram, _sender.Overhead);
        _length = packet.Length;
        _peerMac = PeerTable.Build([], [new(new(System.Net.IPAddress.Parse("10.5.2.0"), 24), System.Net.IPAddress.Parse("192.0.2.2"), s_peer)], null, 1).Entry(0).Mac;
        WriteVxlanHeader();
        byte[] expected = [8, 0, 0, 0, 0, 0, 1, 0, 0x0a, 0, 0, 0, 0, 2, 0x0a, 0, 0, 0, 0, 1, 8, 0];
        if (!_datagram.AsSpan(0, expected.Length).SequenceEqual(expected)) throw new InvalidOperationException("the VXLAN header is wrong");
        if (CheckVxlanHeader() != 0) throw new InvalidOperationException("a right VXLAN header is refused");
        if (CheckIpv4Header() != 0) throw new InvalidOperationException("a right IPv4 header is refused");
        if (ChooseSourcePort() % Packets != 0) throw new InvalidOperationException("one flow has two source ports");
        fixed (byte* inner = &_datagram[_sender.Overhead])
        {
            inner[Ipv4.TtlOffset] = 0;
            if (InnerPacket.CheckIpv4(inner, _length, out _) != DropReason.BadChecksum) throw new InvalidOperationException("a wrong IPv4 header passes");
            packet.CopyTo(_datagram, _sender.Overhead);
        }
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public void WriteVxlanHeader()
    {
        for (int i = 0; i < Packets; i++) _sender.WriteHeader(_datagram, _peerMac, ipv6: false);
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int ChooseSourcePort()
    {
        int sum = 0;
        fixed (byte* inner = &_datagram[_sender.Overhead])
        {
            for (int i = 0; i < Packets; i++) sum += _flows.Choose(inner, _length, ipv6: false, 8);
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int CheckVxlanHeader()
    {
        int refused = 0;
        for (int i = 0; i < Packets; i++) refused += (int)_receiver.CheckHeader(_datagram, out _);
        return refused;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int CheckIpv4Header()
    {
        int refused = 0;
        fixed (byte* inner = &_datagram[_sender.Overhead])
        {
            for (int i = 0; i < Packets; i++) refused += (int)InnerPacket.CheckIpv4(inner, _length, out _);
        }
        return refused;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public void DecrementTtl()
    {
        fixed (byte* inner = &_datagram[_sender.Overhead])
        {
            for (int i = 0; i < Packets; i++) Ipv4.DecrementTtl(inner);
        }
    }
}
