using System.Net;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class AddressTextTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("fd00::1", "fd00::1")]
    [InlineData("2001:DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("::", "::")]
    public void Addresses_are_read(string text, string expected)
    {
        Assert.True(AddressText.TryParse(text, out IPAddress? address));
        Assert.Equal(expected, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("10.5")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.")]
    [InlineData(".1.2.3")]
    [InlineData("1..2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.4.")]
    [InlineData("010.0.0.1")] // octal to inet_aton
    [InlineData("0x7f.0.0.1")]
    [InlineData("3221225985")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.-4")]
    [InlineData("1.2.3.+4")]
    [InlineData(" 1.2.3.4")]
    [InlineData("1.2.3.4 ")]
    [InlineData("1.2.3.٤")] // an Arabic-Indic digit
    [InlineData("fe80::1%eth0")]
    [InlineData("[fd00::1]")]
    [InlineData("[fd00::1]:80")]
    [InlineData("fd00::1/64")]
    [InlineData("::ffff:192.0.2.1")]
    [InlineData("fd00::1::2")]
    [InlineData("fd00:::1")]
    [InlineData("12345::1")]
    [InlineData("0000:0000:0000:0000:0000:0000:0000:0000:0000:0001")]
    public void Anything_else_is_refused(string text) => Assert.False(AddressText.TryParse(text, out _));

    [Theory]
    [InlineData("10.5.0.0/16", "10.5.0.0/16", false)]
    [InlineData("10.5.1.7/24", "10.5.1.0/24", true)]
    [InlineData("10.5.1.7/32", "10.5.1.7/32", false)]
    [InlineData("128.0.0.0/1", "128.0.0.0/1", false)]
    [InlineData("1.2.3.4/0", "0.0.0.0/0", true)]
    [InlineData("fd00:1::/33", "fd00:1::/33", false)]
    [InlineData("fd00::1/127", "fd00::/127", true)]
    public void Networks_are_read_and_masked(string text, string expected, bool hostBits)
    {
        Assert.True(AddressText.TryParseNetwork(text, out IPNetwork network, out bool hasHostBits));
        Assert.Equal(expected, network.ToString());
        Assert.Equal(hostBits, hasHostBits);
    }

    [Theory]
    [InlineData("10.5.0.0")]
    [InlineData("10.5.0.0/")]
    [InlineData("10.5.0.0/33")]
    [InlineData("10.5.0.0/016")]
    [InlineData("10.5.0.0/-1")]
    [InlineData("10.5.0.0/16/16")]
    [InlineData("10.5.0.0/255.255.0.0")]
    [InlineData("/16")]
    [InlineData("fd00::/129")]
    [InlineData("fd00::/1280")]
    public void Malformed_networks_are_refused(string text) => Assert.False(AddressText.TryParseNetwork(text, out _, out _));

    [Fact]
    public void Every_prefix_length_masks_like_the_slow_way()
    {
        byte[] bytes = [0xab, 0xcd, 0xef, 0x97];
        for (int length = 0; length <= 32; length++)
        {
            Assert.True(AddressText.TryParseNetwork($"{new IPAddress(bytes)}/{length}", out IPNetwork network, out bool hasHostBits));
            var bits = new System.Text.StringBuilder();
            foreach (byte b in bytes) bits.Append(Convert.ToString(b, 2).PadLeft(8, '0'));
            string masked = bits.ToString(0, length).PadRight(32, '0');
            byte[] expected = [.. Enumerable.Range(0, 4).Select(i => Convert.ToByte(masked.Substring(8 * i, 8), 2))];
            Assert.Equal(expected, network.BaseAddress.GetAddressBytes());
            Assert.Equal(masked != bits.ToString(), hasHostBits);
        }
    }
}
