using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>Super-packets that arrive with a <see cref="Express.SegmentNote"/>.</summary>
public sealed class SegmentNoteTests
{
    private const ulong OurMac = 0x0a0000000001, PeerMac = 0x0a0000000002;
    private static readonly uint s_host2 = WorkerRig<IpInUdp>.Host2;
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9");
    private static readonly byte[] s_payload = [1, 2, 3, 4, 5, 6, 7, 8];

    /// <summary>What GRO's VXLAN part merged comes without a word of the kernel; only the note tells how long the segments were.</summary>
    [Theory]
    [InlineData(0x12345679u, 1300, 20, 1)]
    [InlineData(0x12345678u, 1300, 1, 0)]
    public void A_super_packet_with_a_note_keeps_its_segments(uint key, int segment, int packets, byte gso)
    {
        using var rig = Rigs.Vxlan(change: options => options with { NoteKey = 0x12345679 });
        byte[] super = TcpSuper(s_pod2, s_us, payload: 26_000, gsoSize: 1300)[VnetSize..];
        byte[] datagram = Vxlan(super, OurMac, PeerMac, 1);
        BitConverter.TryWriteBytes(datagram.AsSpan(14), key);
        BitConverter.TryWriteBytes(datagram.AsSpan(18), (ushort)segment);
        rig.Host.UdpIn.Enqueue(new(s_host2, 33333, datagram));
        WorkerStatus status = rig.Run();
        Assert.Equal((packets, packets, 1), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        byte[] frame = Assert.Single(rig.Host.TunOut);
        Assert.Equal((gso, gso * segment), (frame[1], frame[4] | frame[5] << 8));
        Assert.Equal(super, frame[VnetSize..]);
    }

    /// <summary>A note of nonsense costs the packet at most; one of a single segment costs nothing.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(ushort.MaxValue, 1)]
    [InlineData(8, 1)]
    [InlineData(7, 1)]
    public void A_note_on_a_single_packet_is_harmless(ushort segment, int arrived)
    {
        using var rig = Rigs.Vxlan(change: options => options with { NoteKey = 0x12345679 });
        byte[] datagram = Vxlan(Udp4(s_pod2, s_us, s_payload), OurMac, PeerMac, 1);
        BitConverter.TryWriteBytes(datagram.AsSpan(14), 0x12345679u);
        BitConverter.TryWriteBytes(datagram.AsSpan(18), segment);
        rig.Host.UdpIn.Enqueue(new(s_host2, 33333, datagram));
        WorkerStatus status = rig.Run();
        Assert.Equal(arrived, rig.Host.TunOut.Count);
        Assert.Equal(0, status.Ingress.Drops.Values.Sum());
    }
}
