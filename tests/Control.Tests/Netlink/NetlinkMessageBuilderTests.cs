using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkMessageBuilderTests
{
    [Fact]
    public void A_message_is_header_struct_and_attributes()
    {
        NetlinkMessageBuilder message = new(Dirty(256), Libc.RTM_NEWLINK, Libc.NLM_F_CREATE);
        message.Append(new ifinfomsg { ifi_index = 0x01020304, ifi_flags = 0x11, ifi_change = 0x22 });
        message.Add(Libc.IFLA_IFNAME, "ff0");
        message.Add(Libc.IFLA_MTU, 1472);
        byte[] expected =
        [
            48, 0, 0, 0, 16, 0, 0x01, 0x04, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 4, 3, 2, 1, 0x11, 0, 0, 0, 0x22, 0, 0, 0,
            8, 0, 3, 0, (byte)'f', (byte)'f', (byte)'0', 0,
            8, 0, 4, 0, 0xc0, 5, 0, 0,
        ];
        Assert.Equal(expected, message.Finish().ToArray());
    }

    [Fact]
    public void Addresses_are_in_network_order()
    {
        NetlinkMessageBuilder message = new(Dirty(256), Libc.RTM_NEWROUTE);
        message.Add(Libc.RTA_DST, IPAddress.Parse("10.5.1.2"));
        message.Add(Libc.RTA_GATEWAY, IPAddress.Parse("fd00::1"));
        byte[] expected = Message(24, 1, 0,
            Attribute(1, U8(10, 5, 1, 2)),
            Attribute(5, U8(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)));
        Assert.Equal(expected, message.Finish().ToArray());
    }

    [Fact]
    public void Nested_attributes_count_their_padding()
    {
        NetlinkMessageBuilder message = new(Dirty(256), Libc.RTM_NEWLINK);
        int outer = message.BeginNested(18 | Libc.NLA_F_NESTED);
        message.Add(1, "vxlan");
        int inner = message.BeginNested(2);
        message.Add(1, 7u);
        message.Add(5, [9]);
        message.EndNested(inner);
        message.EndNested(outer);
        message.Add(4, 1400);
        byte[] expected = Message(16, 1, 0,
            Attribute(0x8012,
                Attribute(1, Text("vxlan")),
                Attribute(2, Attribute(1, U32(7)), Attribute(5, U8(9)))),
            Attribute(4, U32(1400)));
        Assert.Equal(expected, message.Finish().ToArray());
    }

    [Fact]
    public void Every_length_of_a_value_is_padded_with_zeros()
    {
        for (int length = 0; length <= 64; length++)
        {
            byte[] value = [.. Enumerable.Repeat((byte)0xee, length)];
            NetlinkMessageBuilder message = new(Dirty(128), 1);
            message.Add(2, value);
            Assert.Equal(Message(1, 1, 0, Attribute(2, value)), message.Finish().ToArray());
        }
    }

    [Fact]
    public void What_fits_exactly_fits_and_one_byte_less_is_refused()
    {
        NetlinkMessageBuilder exact = new(Dirty(24), 1);
        exact.Add(1, 5u);
        Assert.Equal(24, exact.Finish().Length);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() =>
        {
            NetlinkMessageBuilder small = new(Dirty(23), 1);
            small.Add(1, 5u);
        });
        Assert.Equal("netlink message does not fit its buffer: 24 bytes into 23", e.Message);
        Assert.Throws<InvalidOperationException>(() => _ = new NetlinkMessageBuilder(Dirty(15), 1));
    }

    [Fact]
    public void What_the_length_field_cannot_say_is_refused()
    {
        NetlinkMessageBuilder largest = new(Dirty(1 << 17), 1);
        largest.Add(1, new byte[65531]);
        Assert.Equal(16 + 65536, largest.Finish().Length);
        Assert.Throws<InvalidOperationException>(() => new NetlinkMessageBuilder(Dirty(1 << 17), 1).Add(1, new byte[65532]));
        Assert.Throws<InvalidOperationException>(() =>
        {
            NetlinkMessageBuilder nested = new(Dirty(1 << 17), 1);
            int start = nested.BeginNested(1);
            nested.Add(1, new byte[65531]);
            nested.EndNested(start);
        });
        Assert.Throws<InvalidOperationException>(() => new NetlinkMessageBuilder(Dirty(1 << 17), 1).Add(1, new string('x', 256)));
    }

    private static byte[] Dirty(int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, (byte)0xcc);
        return bytes;
    }
}
