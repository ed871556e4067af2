using System.Net;
using System.Security.Cryptography;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class VtepMacTests
{
    // The rule is documented so that configuration tools can repeat it: these values never change.
    [Theory]
    [InlineData("192.0.2.1", "02:ff:c0:00:02:01")]
    [InlineData("10.255.0.16", "02:ff:0a:ff:00:10")]
    public void An_IPv4_host_has_its_address_in_the_mac(string local, string mac) =>
        Assert.Equal(mac, VtepMac.Derive(IPAddress.Parse(local)).ToString());

    [Fact]
    public void An_IPv6_host_has_a_hash_of_its_address_in_the_mac()
    {
        var local = IPAddress.Parse("2001:db8::1");
        string hash = Convert.ToHexStringLower(SHA256.HashData(local.GetAddressBytes()));
        Assert.Equal($"02ff{hash[..8]}", VtepMac.Derive(local).ToString().Replace(":", ""));
        Assert.False(VtepMac.Derive(local).IsMulticast);
    }
}
