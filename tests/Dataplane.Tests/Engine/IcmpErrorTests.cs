using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Engine;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

public sealed unsafe class IcmpErrorTests
{
    [Fact]
    public void A_million_answers_quote_only_the_offender_and_stay_within_576_bytes()
    {
        var random = new Random(5);
        byte* offender = (byte*)NativeMemory.Alloc(2048), answer = (byte*)NativeMemory.Alloc(IcmpError.MaxSize);
        try
        {
            // The canary stands for another packet's bytes: behind the offender, and in the buffer of the answer.
            for (int i = 0; i < 1_000_000; i++)
            {
                int length = 20 + random.Next(i % 100 == 0 ? 1480 : 40);
                new Span<byte>(offender, 2048).Fill(0xCA);
                new Span<byte>(answer, IcmpError.MaxSize).Fill(0xCA);
                new Span<byte>(offender, length).Fill(0x11);
                offender[0] = 0x45;
                int size = IcmpError.WriteIpv4((IcmpErrorKind)(i & 1), offender, length, 0x11223344, answer);
                if (size > 576 || size != 28 + Math.Min(length, 548)) Assert.Fail($"{size} bytes about {length}");
                if (new ReadOnlySpan<byte>(answer + 28, size - 28).Contains((byte)0xCA)) Assert.Fail($"foreign bytes about {length}");
                if (Sum(new ReadOnlySpan<byte>(answer, 20), 0) != 0xFFFF || Sum(new ReadOnlySpan<byte>(answer + 20, size - 20), 0) != 0xFFFF) Assert.Fail("checksum");
            }
        }
        finally
        {
            NativeMemory.Free(offender);
            NativeMemory.Free(answer);
        }
    }

    [Fact]
    public void Icmpv6_errors_have_the_right_checksum_type_and_limit()
    {
        foreach (int payload in new[] { 0, 1, 100, 1500 })
        {
            byte[] packet = Udp6(1, 2, new byte[payload]);
            byte[] answer = new byte[IcmpError.MaxSize];
            int size;
            fixed (byte* offender = packet, target = answer) size = IcmpError.WriteIpv6(IcmpErrorKind.NetUnreachable, offender, packet.Length, 2, target);
            Assert.Equal(Math.Min(48 + packet.Length, 1280), size);
            Assert.Equal((1, 0), (answer[40], answer[41]));
            byte[] sent = answer[..size];
            Assert.Equal(0xFFFF, Sum(sent.AsSpan(40), PseudoSum(sent, 40)));
            Assert.Equal(packet[8..24], sent[24..40]);
        }
    }
}
