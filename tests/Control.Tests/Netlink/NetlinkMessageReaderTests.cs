using System.Buffers.Binary;
using FlannelFast.Control.Netlink;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkMessageReaderTests
{
    private const int Seed = 20260;
    private const int Rounds = 200_000;

    private static readonly byte[][] s_corpus =
    [
        Message(16, 2, 1, LinkHeader(7, 0x1043), Attribute(3, Text("flannel.1")), Attribute(4, U32(1450)), Attribute(1, U8(2, 0, 0, 0, 0, 1)),
            Attribute(18, Attribute(1, Text("vxlan")), Attribute(2, Attribute(1, U32(1))))),
        Message(20, 2, 1, U8(2, 24, 0x80, 0), U32(7), Attribute(1, U8(10, 5, 1, 1)), Attribute(2, U8(10, 5, 1, 1)), Attribute(8, U32(0x80))),
        Message(24, 2, 1, U8(2, 16, 0, 0, 254, 3, 253, 1), U32(0), Attribute(1, U8(10, 5, 0, 0)), Attribute(4, U32(7)),
            Attribute(8, Attribute(2, U32(1400)))),
        Message(2, 0x200, 1, U32(unchecked((uint)-22)), Message(24, 5, 1, new byte[12]), Attribute(1, Text("Invalid scope"))),
        Message(3, 2, 1, U32(0)),
    ];

    [Fact]
    public void Messages_and_attributes_come_back_as_written()
    {
        byte[] datagram = Join(s_corpus[0], s_corpus[1]);
        NetlinkMessageReader messages = new(datagram);
        Assert.True(messages.TryRead(out NetlinkMessage first));
        Assert.True(Link.TryParse(first, out Link? link));
        Assert.Equal((7, "flannel.1", 1450, "vxlan", "02:00:00:00:00:01"), (link.Index, link.Name, link.Mtu, link.Kind, link.Address.ToString()));
        Assert.True(link.IsUp && link.IsRunning && !link.IsLoopback);
        Assert.True(messages.TryRead(out NetlinkMessage second));
        Assert.True(InterfaceAddress.TryParse(second, out InterfaceAddress? address));
        Assert.Equal("10.5.1.1/24", address.ToString());
        Assert.False(messages.TryRead(out _));
        Assert.False(messages.IsMalformed);
    }

    [Fact]
    public void The_last_message_need_not_be_padded()
    {
        NetlinkMessageReader messages = new(Message(20, 0, 0, U8(1, 2, 3)));
        Assert.True(messages.TryRead(out NetlinkMessage message));
        Assert.Equal([1, 2, 3], message.Payload.ToArray());
        Assert.False(messages.TryRead(out _));
        Assert.False(messages.IsMalformed);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(21u)]
    [InlineData(0x7fffffffu)]
    [InlineData(0xfffffffdu)]
    [InlineData(0xffffffffu)]
    public void A_length_that_cannot_be_ends_the_walk(uint length)
    {
        byte[] datagram = Message(20, 0, 0, U32(0));
        BinaryPrimitives.WriteUInt32LittleEndian(datagram, length);
        NetlinkMessageReader messages = new(datagram);
        Assert.False(messages.TryRead(out _));
        Assert.True(messages.IsMalformed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(0xffff)]
    public void An_attribute_length_that_cannot_be_ends_the_walk(int length)
    {
        byte[] bytes = Attribute(1, U32(0));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)length);
        NetlinkAttributeReader attributes = new(bytes);
        Assert.False(attributes.TryRead(out _));
        Assert.True(attributes.IsMalformed);
    }

    [Fact]
    public void A_bridge_port_that_leaves_is_not_a_link_that_goes()
    {
        NetlinkMessageReader messages = new(Message(17, 0, 0, LinkHeader(7, family: 7), Attribute(3, Text("veth0"))));
        Assert.True(messages.TryRead(out NetlinkMessage message));
        Assert.False(Link.TryParse(message, out _));
    }

    [Fact]
    public void Numbers_out_of_range_make_no_object()
    {
        Assert.False(ParsesRoute(Message(24, 0, 0, U8(2, 33, 0, 0, 254, 3, 0, 1), U32(0), Attribute(1, U8(10, 0, 0, 0)))));
        Assert.False(ParsesRoute(Message(24, 0, 0, U8(2, 8, 0, 0, 254, 3, 0, 1), U32(0))));
        Assert.False(ParsesRoute(Message(24, 0, 0, U8(128, 8, 0, 0, 254, 3, 0, 1), U32(0), Attribute(1, U8(10, 0, 0, 0)))));
        Assert.True(ParsesRoute(Message(24, 0, 0, U8(2, 8, 0, 0, 254, 3, 0, 1), U32(0), Attribute(1, U8(10, 1, 2, 3)))));

        static bool ParsesRoute(byte[] datagram)
        {
            NetlinkMessageReader messages = new(datagram);
            Assert.True(messages.TryRead(out NetlinkMessage message));
            return Route.TryParse(message, out _);
        }
    }

    [Fact]
    public void Hostile_bytes_are_read_as_the_obvious_reader_reads_them()
    {
        Random random = new(Seed);
        int objects = 0, malformed = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] datagram = Mutate(random);
            List<(int Start, int End)> expected = WalkSlowly(datagram, 16);
            NetlinkMessageReader messages = new(datagram);
            int count = 0;
            while (messages.TryRead(out NetlinkMessage message))
            {
                (int start, int end) = expected[count++];
                Assert.True(message.Payload.SequenceEqual(datagram.AsSpan(start + 16, end - start - 16)), $"seed {Seed}, round {round}");
                objects += ReadEverything(message);
            }
            Assert.True(count == expected.Count, $"seed {Seed}, round {round}: {count} messages, expected {expected.Count}");
            if (messages.IsMalformed) malformed++;
        }
        // The corpus must keep reaching both sides, or the walk above proves nothing.
        Assert.InRange(objects, Rounds / 10, 10 * Rounds);
        Assert.InRange(malformed, Rounds / 10, Rounds);
    }

    private static int ReadEverything(NetlinkMessage message)
    {
        int objects = 0;
        if (Link.TryParse(message, out _)) objects++;
        if (InterfaceAddress.TryParse(message, out _)) objects++;
        if (Route.TryParse(message, out _)) objects++;
        if (NetlinkAcknowledgement.Read(message).Sentence is not null) objects++;
        byte[] bytes = message.Payload.ToArray();
        List<(int Start, int End)> expected = WalkSlowly(bytes, 4);
        NetlinkAttributeReader attributes = new(bytes);
        int count = 0;
        while (attributes.TryRead(out NetlinkAttribute attribute))
        {
            (int start, int end) = expected[count++];
            Assert.True(attribute.Value.SequenceEqual(bytes.AsSpan(start + 4, end - start - 4)));
        }
        Assert.Equal(expected.Count, count);
        return objects;
    }

    /// <summary>Every stretch that begins with its own length, one behind the other at multiples of 4, byte by byte.</summary>
    private static List<(int Start, int End)> WalkSlowly(byte[] bytes, int header)
    {
        List<(int Start, int End)> found = [];
        long at = 0;
        while (at + header <= bytes.Length)
        {
            long length = bytes[at] | bytes[at + 1] << 8;
            if (header == 16) length |= (long)bytes[at + 2] << 16 | (long)bytes[at + 3] << 24;
            if (length < header || at + length > bytes.Length) break;
            found.Add(((int)at, (int)(at + length)));
            at += length;
            while (at % 4 != 0) at++;
        }
        return found;
    }

    private static byte[] Mutate(Random random)
    {
        List<byte> bytes = [];
        int messages = random.Next(1, 4);
        for (int i = 0; i < messages; i++) bytes.AddRange(s_corpus[random.Next(s_corpus.Length)]);
        int edits = random.Next(0, 5);
        for (int i = 0; i < edits && bytes.Count > 0; i++)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] = (byte)(random.Next(2) * 255); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes[at] = (byte)(bytes[at] + random.Next(-4, 5)); break;
            }
        }
        return [.. bytes];
    }
}
