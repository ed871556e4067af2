using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>The twins could share a misunderstanding; the kernel has the last word. Skipped without root.</summary>
public sealed unsafe class KernelSegmentationTests
{
    private static ForwardingKernel StartKernel()
    {
        ForwardingKernel? kernel = ForwardingKernel.TryCreate(out string reason);
        if (kernel is null) Assert.Skip(reason);
        return kernel;
    }

    private static PacketSpec RandomSpec(Random random, int payload)
    {
        byte[] bytes = new byte[payload];
        random.NextBytes(bytes);
        bool tcp = random.Next(3) > 0;
        return new()
        {
            Version = random.Next(2) == 0 ? 4 : 6,
            Protocol = tcp ? IpProtocol.Tcp : IpProtocol.Udp,
            SourceHost = (byte)random.Next(1, 127),
            DestinationHost = (byte)random.Next(129, 255),
            Tos = (byte)random.Next(256),
            Ttl = (byte)random.Next(2, 256),
            Id = (ushort)random.Next(65536),
            Fragment = (ushort)(random.Next(2) * 0x4000),
            SourcePort = (ushort)random.Next(1, 65536),
            DestinationPort = (ushort)random.Next(1, 65536),
            Sequence = (uint)random.NextInt64(1L << 32),
            Acknowledgment = (uint)random.NextInt64(1L << 32),
            Flags = (byte)(Tcp.Ack | (tcp ? random.Next(256) & (Tcp.Fin | Tcp.Psh | Tcp.Ece | Tcp.Cwr) : 0)),
            Window = (ushort)random.Next(65536),
            Options = tcp && random.Next(2) == 0 ? [1, 1, 8, 10, .. bytes.AsSpan(0, 8)] : [],
            Payload = bytes,
        };
    }

    /// <summary>The packet one router further.</summary>
    private static PacketSpec Forwarded(PacketSpec spec) => spec with { Ttl = (byte)(spec.Ttl - 1) };

    [Fact]
    public void Super_packets_are_cut_byte_by_byte_as_the_kernel_cuts_them()
    {
        using ForwardingKernel kernel = StartKernel();
        byte* wire = stackalloc byte[65575];
        Random random = new(50);
        for (int round = 0; round < 800; round++)
        {
            int size = random.Next(8, 1500), segments = random.Next(2, 40);
            PacketSpec spec = RandomSpec(random, Math.Min(size * (segments - 1) + random.Next(1, size + 1), 65000));
            virtio_net_hdr vnet = new()
            {
                flags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM,
                gso_type = spec.Protocol == IpProtocol.Udp ? Libc.VIRTIO_NET_HDR_GSO_UDP_L4
                    : spec.Version == 4 ? Libc.VIRTIO_NET_HDR_GSO_TCPV4 : Libc.VIRTIO_NET_HDR_GSO_TCPV6,
                hdr_len = (ushort)spec.HeaderLength,
                gso_size = (ushort)size,
                csum_start = (ushort)spec.IpHeaderLength,
                csum_offset = (ushort)(spec.ChecksumField - spec.IpHeaderLength),
            };
            List<byte[]> expected = kernel.Forward(vnet, spec.BuildPartial(), spec.Version);

            byte[] super = Forwarded(spec).BuildPartial();
            fixed (byte* packet = super)
            {
                Assert.True(SegmentPlan.TryCreate(vnet, packet, super.Length, out SegmentPlan plan));
                Assert.True(expected.Count == plan.Count, $"round {round}: kernel {expected.Count}, we {plan.Count}: {spec}");
                for (int i = 0; i < plan.Count; i++)
                {
                    plan.Write(i, wire);
                    if (!expected[i].AsSpan().SequenceEqual(new(wire, plan.LengthOf(i)))) Assert.Fail($"round {round}, packet {i}: {spec}");
                }
            }
        }
    }

    [Fact]
    public void Merged_packets_are_cut_by_the_kernel_into_what_they_were()
    {
        using ForwardingKernel kernel = StartKernel();
        using CoalescerHarness harness = new();
        Random random = new(51);
        for (int round = 0; round < 300; round++)
        {
            int size = random.Next(8, 1200), count = random.Next(1, 40);
            PacketSpec spec = RandomSpec(random, size) with { Flags = Tcp.Ack };
            List<PacketSpec> specs = [.. Enumerable.Range(0, count).Select(i => spec with
            {
                Sequence = spec.Sequence + (uint)(i * size),
                Id = (ushort)(spec.Id + i),
                Flags = (byte)(i == count - 1 ? Tcp.Ack | random.Next(2) * Tcp.Psh : Tcp.Ack),
                Payload = i == count - 1 ? spec.Payload[random.Next(size)..] : spec.Payload,
            })];
            byte[][] packets = [.. specs.Select(s => random.Next(4) == 0 ? s.BuildPartial() : s.Build())];
            Frame frame = Assert.Single(harness.Run(packets));
            List<byte[]> cut = kernel.Forward(frame.Header, frame.Bytes, spec.Version);
            Assert.Equal(specs.Select(s => Forwarded(s).Build()), cut);
        }
    }
}
