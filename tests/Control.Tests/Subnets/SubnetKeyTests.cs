using System.Net;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class SubnetKeyTests
{
    [Theory]
    [InlineData("10.5.52.0-24", "10.5.52.0/24", null)]
    [InlineData("10.3.0.0-28", "10.3.0.0/28", null)]
    [InlineData("128.0.0.0-1", "128.0.0.0/1", null)]
    [InlineData("10.0.0.2-31", "10.0.0.2/31", null)]
    [InlineData("10.5.52.0-24&fc00::-64", "10.5.52.0/24", "fc00::/64")]
    [InlineData("10.5.52.0-24&fc00:0:0:1::-64", "10.5.52.0/24", "fc00:0:0:1::/64")]
    [InlineData("10.5.52.0-24&fc00:1:0:0:2::-80", "10.5.52.0/24", "fc00:1:0:0:2::/80")]
    [InlineData("10.5.52.0-24&fc00::1:0:0:2:0-112", "10.5.52.0/24", "fc00:0:0:1:0:0:2:0/112")]
    [InlineData("0.0.0.0-0&fc00:0:0:1::-64", null, "fc00:0:0:1::/64")]
    // .NET itself would write the ends of these dotted.
    [InlineData("10.5.1.0-24&fc00::5efe:a00:0-112", "10.5.1.0/24", "fc00::5efe:a00:0/112")]
    [InlineData("10.5.1.0-24&::a00:0-112", "10.5.1.0/24", "::a00:0/112")]
    public void A_key_is_written_and_read(string key, string? ipv4, string? ipv6)
    {
        var subnet = new LeasedSubnet(Network(ipv4), Network(ipv6));
        Assert.Equal(key, SubnetKey.Format(subnet));
        Assert.True(SubnetKey.TryParse(key, out LeasedSubnet? parsed));
        Assert.Equal(subnet, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("config")]
    [InlineData("10.5.52.0")]
    [InlineData("10.5.52.0-")]
    [InlineData("10.5.52.0/24")]
    [InlineData("10.5.52.0-32")]
    [InlineData("10.5.52.0-0")]
    [InlineData("0.0.0.0-0")]
    [InlineData("10.5.52.0-24 ")]
    [InlineData("10.5.52.0-024")]
    [InlineData("10.5.52.0-+24")]
    [InlineData("10.5.52.0--24")]
    [InlineData("10.5.52.1-24")]
    [InlineData("010.5.52.0-24")]
    [InlineData("10.5.52-24")]
    [InlineData("10.5.52.0.0-24")]
    [InlineData("10x5y52.0-24")]
    [InlineData("256.5.52.0-24")]
    [InlineData("/coreos.com/network/subnets/10.5.52.0-24")]
    [InlineData("x10.5.52.0-24")]
    [InlineData("10.5.52.0-24&")]
    [InlineData("10.5.52.0-24&fc00::")]
    [InlineData("10.5.52.0-24&fc00::-128")]
    [InlineData("10.5.52.0-24&fc00::-0")]
    [InlineData("10.5.52.0-24&fc00::1-64")]
    [InlineData("10.5.52.0-24&FC00::-64")]
    [InlineData("10.5.52.0-24&fc00:0::-64")]
    [InlineData("10.5.52.0-24&fc00:0:0:0::-64")]
    [InlineData("10.5.52.0-24&fc00::-64&fc01::-64")]
    [InlineData("10.5.52.0-24&10.6.0.0-24")]
    [InlineData("fc00::-64")]
    [InlineData("fc00::-64&10.5.52.0-24")]
    [InlineData("10.5.52.0-24&fc00::%3-64")]
    [InlineData("١٠.5.52.0-24")]
    [InlineData("10.5.52.0-24\n")]
    public void What_names_no_subnet_or_not_in_its_one_way_is_refused(string key) => Assert.False(SubnetKey.TryParse(key, out _));

    [Fact]
    public void Every_subnet_comes_back_from_its_key_and_the_text_is_the_usual_one()
    {
        var random = new Random(4);
        byte[] bytes = new byte[16];
        for (int i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            // Zero groups are where text forms differ.
            for (int group = 0; group < 8; group++)
                if (random.Next(2) == 0) bytes[2 * group] = bytes[2 * group + 1] = 0;
            if (new IPAddress(bytes).IsIPv4MappedToIPv6) continue;
            var subnet = new LeasedSubnet(Masked(bytes.AsSpan(12).ToArray(), random.Next(1, 32)), Masked([.. bytes], random.Next(1, 128)));
            string key = SubnetKey.Format(subnet);
            Assert.True(SubnetKey.TryParse(key, out LeasedSubnet? parsed), key);
            Assert.Equal(subnet, parsed);
            string usual = subnet.Ipv6!.Value.BaseAddress.ToString();
            if (!usual.Contains('.')) Assert.Equal(usual, AddressFormat.Ipv6(subnet.Ipv6.Value.BaseAddress));
        }
    }

    private static IPNetwork Masked(byte[] bytes, int length)
    {
        for (int bit = length; bit < 8 * bytes.Length; bit++) bytes[bit / 8] &= (byte)~(0x80 >> bit % 8);
        return new(new IPAddress(bytes), length);
    }

    private static IPNetwork? Network(string? text) => text is null ? null : IPNetwork.Parse(text);
}
