using System.Net;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>
/// A worker on a fake host, driven burst by burst on the test's thread. The network: we are 192.0.2.1 with 10.5.1.0/24 and
/// fd00:1::/64; peers are 192.0.2.2 (10.5.2.0/24, fd00:2::/64) and 192.0.2.3 (10.5.3.0/24).
/// </summary>
internal sealed class WorkerRig<TEncapsulation> : IDisposable
    where TEncapsulation : struct, IEncapsulation
{
    public static readonly MacAddress OurMac = new(0x0a0000000001), Mac2 = new(0x0a0000000002), Mac3 = new(0x0a0000000003);
    public static readonly uint Host2 = TestPackets.Ip("192.0.2.2"), Host3 = TestPackets.Ip("192.0.2.3");

    private readonly PacketWorker<FakePort, TEncapsulation> _worker;

    public WorkerRig(TEncapsulation encapsulation, Func<WorkerOptions, WorkerOptions>? change = null)
    {
        Port = encapsulation.CarriesIpv6 ? Vxlan.DefaultPort : IpInUdp.DefaultPort;
        var options = new WorkerOptions
        {
            DestinationPort = Port,
            UnderlayIsIpv6 = false,
            VnetHeader = true,
            CoalesceTcp = true,
            CoalesceUdp = true,
            UdpSegment = true,
            DeviceAddress = TestPackets.Ip("10.5.1.0"),
        };
        options = change?.Invoke(options) ?? options;
        Host.VnetHeader = options.VnetHeader;
        List<IPNetwork> local = [IPNetwork.Parse("10.5.1.0/24")];
        List<Peer> peers =
        [
            new(IPNetwork.Parse("10.5.2.0/24"), IPAddress.Parse("192.0.2.2"), Mac2),
            new(IPNetwork.Parse("10.5.3.0/24"), IPAddress.Parse("192.0.2.3"), Mac3),
        ];
        if (encapsulation.CarriesIpv6)
        {
            local.Add(IPNetwork.Parse("fd00:1::/64"));
            peers.Add(new(IPNetwork.Parse("fd00:2::/64"), IPAddress.Parse("192.0.2.2"), Mac2));
        }
        Peers = PeerTable.Build(local, peers, null, 1);
        var control = new EventFd();
        _worker = new(0, control, Peers, new FakePort(Host), encapsulation, options);
    }

    public FakeHost Host { get; } = new();

    public PeerTable Peers { get; }

    public int Port { get; }

    public Worker Worker => _worker;

    public WorkerStatus Status => _worker.ReadStatus();

    /// <summary>Bursts until nothing is left.</summary>
    public WorkerStatus Run()
    {
        while (_worker.Burst() > 0)
        {
        }
        AssertExact(Status.Egress);
        AssertExact(Status.Ingress);
        return Status;
    }

    public int Burst() => _worker.Burst();

    private static void AssertExact(PathStatus path) => Assert.Equal(path.Packets, path.Forwarded + path.Drops.Values.Sum());

    public void Dispose() => _worker.Dispose();
}

internal static class Rigs
{
    public static WorkerRig<IpInUdp> Udp(Func<WorkerOptions, WorkerOptions>? change = null) => new(default, change);

    public static WorkerRig<Vxlan> Vxlan(bool ignoreReservedBits = false, Func<WorkerOptions, WorkerOptions>? change = null) =>
        new(new Vxlan(1, WorkerRig<Vxlan>.OurMac, ignoreReservedBits), change);
}
