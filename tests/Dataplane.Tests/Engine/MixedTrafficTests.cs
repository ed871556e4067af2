using System.Net;
using System.Numerics;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>
/// The real loop over a mixed corpus of good, odd and hostile traffic in both directions, with a host that fails in every way:
/// every packet in exactly one counter, not one byte allocated. 10^7 packets each way; FLANNELFAST_LONG=1 makes it 10^9.
/// </summary>
[Collection(Peers.AloneCollection.Name)]
public sealed class MixedTrafficTests(ITestOutputHelper output)
{
    private const ulong OurMac = 0x0a0000000001, PeerMac = 0x0a0000000002;
    private static readonly uint s_host2 = Ip("192.0.2.2"), s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9");
    private static readonly long s_packets = Environment.GetEnvironmentVariable("FLANNELFAST_LONG") == "1" ? 1_000_000_000 : 10_000_000;

    [Fact]
    public void Udp_counts_every_packet_once_and_allocates_nothing()
    {
        var corpus = new Corpus { FailEvery = 97 };
        FillEgress(corpus);
        foreach (TheoryDataRow<string, byte[]> row in IngressTests.HostileInUdp()) corpus.AddMessage(s_host2, row.Data.Item2);
        FillIngress(corpus, packet => packet);
        Run<IpInUdp>(corpus, default, IPNetwork.Parse("10.5.2.0/24"));
    }

    [Fact]
    public void Vxlan_counts_every_packet_once_and_allocates_nothing()
    {
        var corpus = new Corpus { FailEvery = 89 };
        FillEgress(corpus);
        corpus.AddFrame(WithVnet(Udp6(Ip6("fd00:1::7"), Ip6("fd00:2::9"), new byte[100])));
        corpus.AddFrame(WithVnet(Udp6(Ip6("fd00:1::7"), Ip6("fd00:77::9"), new byte[100])));
        foreach (TheoryDataRow<string, byte[]> row in IngressTests.HostileInVxlan()) corpus.AddMessage(s_host2, row.Data.Item2);
        byte[] super = TcpSuper(s_pod2, s_us, payload: 26_000, gsoSize: 1300)[VnetSize..];
        corpus.AddMessage(s_host2, Vxlan(super, OurMac, PeerMac, 1), groSize: 1300);
        FillIngress(corpus, packet => Vxlan(packet, OurMac, PeerMac, 1));
        Run(corpus, new Vxlan(1, new MacAddress(OurMac), false), IPNetwork.Parse("10.5.2.0/24"), IPNetwork.Parse("fd00:2::/64"));
    }

    private void Run<TEncapsulation>(Corpus corpus, TEncapsulation encapsulation, params IPNetwork[] peerSubnets)
        where TEncapsulation : struct, IEncapsulation
    {
        var options = new WorkerOptions
        {
            DestinationPort = 8285,
            UnderlayIsIpv6 = false,
            VnetHeader = true,
            CoalesceTcp = true,
            CoalesceUdp = true,
            UdpSegment = true,
            SourcePorts = EngineOptions.MaxSourcePorts,
            FlowSeed = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
            DeviceAddress = Ip("10.5.1.0"),
        };
        List<IPNetwork> local = [IPNetwork.Parse("10.5.1.0/24")];
        if (encapsulation.CarriesIpv6) local.Add(IPNetwork.Parse("fd00:1::/64"));
        PeerTable peers = PeerTable.Build(local, [.. peerSubnets.Select(s => new Peer(s, IPAddress.Parse("192.0.2.2"), new MacAddress(PeerMac)))], null, 1);
        var control = new EventFd();
        using var worker = new PacketWorker<CorpusPort, TEncapsulation>(0, control, peers, new(corpus), encapsulation, options);
        // Whatever is made once (the just-in-time compiler's work, tiers) is made here.
        Drive(worker, corpus, 200_000);
        int collections = GC.CollectionCount(0);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Drive(worker, corpus, s_packets);
        long allocatedByLoop = GC.GetAllocatedBytesForCurrentThread() - allocated;
        int collectionsInLoop = GC.CollectionCount(0) - collections;

        WorkerStatus status = worker.ReadStatus();
        foreach ((string name, PathStatus path) in new[] { ("egress", status.Egress), ("ingress", status.Ingress) })
        {
            output.WriteLine($"{name}: {path.Packets} packets, {path.Forwarded} forwarded, " + string.Join(", ", path.Drops.Select(drop => $"{drop.Key} {drop.Value}")));
            Assert.Equal(path.Packets, path.Forwarded + path.Drops.Values.Sum());
            Assert.True(path.Drops.Count >= 6, "the corpus must reach many reasons");
        }
        // What the host saw, counted without the engine's help.
        Assert.Equal(corpus.DatagramsOut + corpus.PacketsToTun, status.Egress.Forwarded + status.Ingress.Forwarded + status.IcmpSent);
        Assert.InRange(BitOperations.PopCount(corpus.Sources), encapsulation.HasFixedSourcePort ? 1 : 10, encapsulation.HasFixedSourcePort ? 1 : 32);
        Assert.Equal(0, allocatedByLoop);
        Assert.Equal(0, collectionsInLoop);
    }

    private static void Drive<TEncapsulation>(PacketWorker<CorpusPort, TEncapsulation> worker, Corpus corpus, long packets)
        where TEncapsulation : struct, IEncapsulation
    {
        long toUdp = corpus.DatagramsOut + packets, toTun = corpus.PacketsToTun + packets;
        for (long burst = 0; corpus.DatagramsOut < toUdp || corpus.PacketsToTun < toTun; burst++)
        {
            corpus.TunLeft = (int)(burst * 7 % 100);
            corpus.UdpLeft = (int)(burst * 5 % 90);
            worker.Burst();
        }
    }

    private static void FillEgress(Corpus corpus)
    {
        corpus.AddFrame(TcpSuper(s_us, s_pod2, payload: 65_000 - 40, gsoSize: 1400));
        corpus.AddFrame(TcpSuper(s_us, s_pod2, payload: 3001, gsoSize: 1000));
        corpus.AddFrame(TcpSuper(s_us, Ip("10.5.77.1"), payload: 3001, gsoSize: 1000));
        for (int flow = 0; flow < 40; flow++) corpus.AddFrame(WithVnet(Udp4(s_us, s_pod2, new byte[100], sourcePort: 3000 + flow)));
        for (int i = 0; i < 20; i++) corpus.AddFrame(WithVnet(Udp4(s_us, s_pod2, new byte[i * 60])));
        corpus.AddFrame(WithVnet(Udp4(s_us, s_pod2, new byte[10], ttl: 0)));
        corpus.AddFrame(WithVnet(Udp4(s_us, s_pod2, new byte[10], ttl: 1)));
        corpus.AddFrame(WithVnet(Udp4(s_us, Ip("10.5.77.1"), new byte[10])));
        corpus.AddFrame(WithVnet(Udp4(s_us, Ip("10.5.1.8"), new byte[10])));
        corpus.AddFrame(WithVnet(Udp4(Ip("10.9.9.9"), s_pod2, new byte[10])));
        corpus.AddFrame(WithVnet(Udp4(s_us, Ip("224.0.0.1"), new byte[10])));
        corpus.AddFrame(WithVnet(Tcp4(s_us, s_pod2, 1, 0x10, new byte[3000]), flags: 1, gsoType: 1, gsoSize: 0));
        corpus.AddFrame(WithVnet(Udp6(Ip6("fe80::1"), Ip6("ff02::2"), new byte[8])));
        corpus.AddFrame(WithVnet([0x45, 0, 0]));
        corpus.AddFrame(new byte[VnetSize]);
    }

    private static void FillIngress(Corpus corpus, Func<byte[], byte[]> wrap)
    {
        var random = new Random(11);
        for (int flow = 0; flow < 4; flow++)
        {
            byte[][] segments = [.. Enumerable.Range(0, 44).Select(i => wrap(Tcp4(s_pod2, s_us, (uint)(i * 1400), 0x10, new byte[1400], sourcePort: 1000 + flow)))];
            corpus.AddMessage(s_host2, [.. segments.SelectMany(segment => segment)], groSize: segments[0].Length);
        }
        byte[][] datagrams = [.. Enumerable.Range(0, 60).Select(_ => wrap(Udp4(s_pod2, s_us, new byte[64])))];
        corpus.AddMessage(s_host2, [.. datagrams.SelectMany(datagram => datagram)], groSize: datagrams[0].Length);
        for (int i = 0; i < 200; i++)
        {
            byte[] packet = wrap(Tcp4(s_pod2, s_us, (uint)random.Next(), (byte)random.Next(64), new byte[random.Next(1400)]));
            for (int changes = random.Next(3); changes > 0; changes--) packet[random.Next(packet.Length)] ^= (byte)(1 << random.Next(8));
            corpus.AddMessage(s_host2, packet);
        }
        corpus.AddMessage(Ip("192.0.2.66"), wrap(Udp4(s_pod2, s_us, new byte[8])));
        corpus.AddMessage(s_host2, wrap(Udp4(s_pod2, s_us, new byte[8])), truncated: true);
    }

    private static UInt128 Ip6(string text) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(IPAddress.Parse(text).GetAddressBytes());
}
