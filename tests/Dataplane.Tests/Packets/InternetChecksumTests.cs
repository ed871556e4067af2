using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

public sealed unsafe class InternetChecksumTests
{
    private const int MaxLength = 9001;
    private const int MaxOffset = 63;

    private static byte[] RandomBytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static int Network(ushort raw) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(raw) : raw;

    private static ushort Raw(int value) => (ushort)Network((ushort)value);

    [Fact]
    public void The_vectors_in_use_are_those_of_the_process_settings()
    {
        bool none = Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0";
        bool narrow = none || Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0";
        if (none) Assert.False(Vector128.IsHardwareAccelerated);
        else Assert.True(Vector128.IsHardwareAccelerated);
        if (narrow) Assert.False(Vector256.IsHardwareAccelerated);
    }

    [Fact]
    public void Sum_equals_the_slow_one_at_every_length_and_alignment()
    {
        byte[] data = RandomBytes(1, MaxLength + MaxOffset + 1);
        fixed (byte* start = data)
        {
            for (int length = 0; length <= MaxLength; length++)
            {
                // Every alignment for what small packets and headers are made of; 2 of 64 in turn for the rest.
                int step = length <= 300 ? 1 : 32;
                for (int offset = length <= 300 ? 0 : length % 32; offset <= MaxOffset; offset += step)
                {
                    int slow = SlowChecksum.Sum(data.AsSpan(offset, length));
                    ushort fast = InternetChecksum.Fold(InternetChecksum.Sum(start + offset, (nuint)length));
                    if (slow != Network(fast)) Assert.Fail($"length {length}, offset {offset}: {Network(fast):x4} is not {slow:x4}");
                }
            }
        }
    }

    [Fact]
    public void CopyAndSum_copies_and_sums_and_touches_nothing_else()
    {
        const byte Canary = 0xA5;
        byte[] data = RandomBytes(2, MaxLength + MaxOffset + 1);
        byte[] target = new byte[MaxLength + 2 * (MaxOffset + 1)];
        Random random = new(3);
        fixed (byte* source = data)
        fixed (byte* destination = target)
        {
            for (int length = 0; length <= MaxLength; length++)
            {
                for (int round = 0; round < (length <= 300 ? 32 : 1); round++)
                {
                    int from = random.Next(MaxOffset + 1), to = random.Next(1, MaxOffset + 1);
                    target.AsSpan(0, to + length + MaxOffset + 1).Fill(Canary);
                    ulong sum = InternetChecksum.CopyAndSum(destination + to, source + from, (nuint)length);
                    string where = $"length {length}, from {from}, to {to}";
                    Assert.True(Network(InternetChecksum.Fold(sum)) == SlowChecksum.Sum(data.AsSpan(from, length)), where);
                    Assert.True(target.AsSpan(to, length).SequenceEqual(data.AsSpan(from, length)), where);
                    Assert.True(!target.AsSpan(0, to).ContainsAnyExcept(Canary), where);
                    Assert.True(!target.AsSpan(to + length, MaxOffset + 1).ContainsAnyExcept(Canary), where);
                }
            }
        }
    }

    [Fact]
    public void Nothing_beyond_the_range_is_read_or_written()
    {
        using GuardedMemory source = new(4096), destination = new(4096);
        RandomBytes(4, 4096).CopyTo(new Span<byte>(source.Start, 4096));
        for (int length = 0; length <= 4096; length++)
        {
            ulong sum = InternetChecksum.Sum(source.Tail(length), (nuint)length);
            Assert.Equal(InternetChecksum.Fold(sum),
                InternetChecksum.Fold(InternetChecksum.CopyAndSum(destination.Tail(length), source.Tail(length), (nuint)length)));
            _ = InternetChecksum.CopyAndSum(destination.Start, source.Start, (nuint)length);
        }
    }

    [Theory]
    [InlineData(65536)]
    [InlineData(16 << 20)]
    public void No_carry_is_lost_when_every_bit_is_set(int length)
    {
        byte[] data = new byte[length];
        Array.Fill(data, (byte)0xFF);
        fixed (byte* start = data)
        {
            ulong sum = InternetChecksum.Sum(start, (nuint)length);
            Assert.Equal((ulong)length / 4 * 0xFFFF_FFFF, sum);
            Assert.Equal(0xFFFF, InternetChecksum.Fold(sum));
            Assert.Equal(0, InternetChecksum.Finish(sum));
        }
    }

    [Fact]
    public void Partial_sums_of_even_ranges_add_up()
    {
        byte[] data = RandomBytes(5, 2000);
        Random random = new(6);
        fixed (byte* start = data)
        {
            for (int round = 0; round < 5000; round++)
            {
                int length = random.Next(2001), cut = random.Next(length / 2 + 1) * 2;
                ulong parts = InternetChecksum.Sum(start, (nuint)cut) + InternetChecksum.Sum(start + cut, (nuint)(length - cut));
                Assert.Equal(SlowChecksum.Sum(data.AsSpan(0, length)), Network(InternetChecksum.Fold(parts)));
            }
        }
    }

    [Fact]
    public void Fold_is_the_remainder_modulo_65535_and_zero_only_for_zero()
    {
        Random random = new(7);
        ulong[] edges = [0, 1, 0xFFFE, 0xFFFF, 0x1_0000, 0x1_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 0xFFFF_FFFF_FFFF, ulong.MaxValue - 1, ulong.MaxValue];
        for (int round = 0; round < 200_000; round++)
        {
            ulong sum = round < edges.Length ? edges[round] : (ulong)random.NextInt64() << random.Next(2) >> random.Next(64);
            ulong expected = sum == 0 ? 0 : (sum - 1) % 0xFFFF + 1;
            Assert.Equal((ushort)expected, InternetChecksum.Fold(sum));
            Assert.Equal((ushort)~expected, InternetChecksum.Finish(sum));
        }
    }

    [Fact]
    public void Pseudo_header_is_that_of_the_standards()
    {
        Random random = new(8);
        byte[] packet = new byte[40];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(packet);
            int version = round % 2 == 0 ? 4 : 6;
            packet[0] = (byte)(version << 4);
            byte protocol = (byte)random.Next(256);
            // Above 65535 only IPv6 has a length at all: the pseudo-header field has 32 bits there.
            int length = random.Next(version == 4 ? 65536 : 1 << 20);
            fixed (byte* header = packet)
            {
                ulong sum = InternetChecksum.PseudoHeader(header, version, protocol, (uint)length);
                Assert.Equal(SlowChecksum.PseudoHeader(packet, protocol, length), Network(InternetChecksum.Fold(sum)));
            }
        }
    }

    [Fact]
    public void Update_gives_zero_in_the_example_of_RFC_1624()
    {
        // Section 4: equation 2 would give 0xFFFF here.
        Assert.Equal(0x0000, Network(InternetChecksum.Update(Raw(0xDD2F), Raw(0x5555), Raw(0x3285))));
    }

    [Fact]
    public void Update_equals_a_fresh_checksum()
    {
        Random random = new(9);
        byte[] header = new byte[20];
        for (int round = 0; round < 100_000; round++)
        {
            random.NextBytes(header);
            header[10] = header[11] = 0;
            ushort before = Raw(~SlowChecksum.Sum(header) & 0xFFFF);
            int word = random.Next(4) * 2;
            ushort old = BitConverter.ToUInt16(header, word);
            ushort changed = (ushort)random.Next(65536);
            BitConverter.TryWriteBytes(header.AsSpan(word), changed);
            Assert.Equal(~SlowChecksum.Sum(header) & 0xFFFF, Network(InternetChecksum.Update(before, old, changed)));
        }
    }

    [Fact]
    public void Every_time_to_live_is_lowered_with_a_right_checksum()
    {
        byte[] packet = RandomBytes(10, 24);
        packet[0] = 0x46;
        fixed (byte* header = packet)
        {
            for (int ttl = 1; ttl <= 255; ttl++)
            {
                packet[8] = (byte)ttl;
                Ipv4.WriteChecksum(header);
                Assert.Equal(0xFFFF, SlowChecksum.Sum(packet));
                Ipv4.DecrementTtl(header);
                Assert.Equal(ttl - 1, packet[8]);
                Assert.Equal(0xFFFF, SlowChecksum.Sum(packet));
                Assert.True(Ipv4.HasValidChecksum(header));
                packet[21] ^= 1;
                Assert.False(Ipv4.HasValidChecksum(header));
                packet[21] ^= 1;
            }
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] data = RandomBytes(11, 3000), copy = new byte[3000];
        fixed (byte* source = data)
        fixed (byte* destination = copy)
        {
            ulong sum = 0;
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int length = 0; length < 3000; length++)
            {
                sum += InternetChecksum.Sum(source, (nuint)length);
                sum += InternetChecksum.CopyAndSum(destination, source, (nuint)length);
                sum += InternetChecksum.PseudoHeader(source, 4, 6, (uint)length);
            }
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.NotEqual(0UL, sum);
        }
    }
}
