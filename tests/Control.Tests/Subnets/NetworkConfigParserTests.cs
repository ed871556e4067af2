using System.Text;
using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class NetworkConfigParserTests
{
    [Theory]
    // Defaults.
    [InlineData("""{"Network":"10.3.0.0/16"}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    [InlineData("""{"network":"10.3.0.0/16"}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    [InlineData("""{"Network":"10.0.0.0/8"}""", "10.0.0.0/8 24 10.0.1.0 10.255.255.0")]
    [InlineData("""{"Network":"10.3.0.0/22"}""", "10.3.0.0/22 24 10.3.1.0 10.3.3.0")]
    [InlineData("""{"Network":"10.3.0.0/23"}""", "10.3.0.0/23 25 10.3.0.128 10.3.1.128")]
    [InlineData("""{"Network":"10.3.0.0/28"}""", "10.3.0.0/28 30 10.3.0.4 10.3.0.12")]
    [InlineData("""{"Network":"255.255.0.0/16"}""", "255.255.0.0/16 24 255.255.1.0 255.255.255.0")]
    [InlineData("""{"Network":"0.0.0.0/1"}""", "0.0.0.0/1 24 0.0.1.0 127.255.255.0")]
    // Given values.
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":"10.3.5.0","SubnetMax":"10.3.8.0","SubnetLen":28}""", "10.3.0.0/16 28 10.3.5.0 10.3.8.0")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":18}""", "10.3.0.0/16 18 10.3.64.0 10.3.192.0")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":30}""", "10.3.0.0/16 30 10.3.0.4 10.3.255.252")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":"0.0.0.0","SubnetMax":"0.0.0.0","SubnetLen":0}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    [InlineData("""{"Network":"10.3.7.9/16"}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    // Go's JSON.
    [InlineData("""{"Network":"10.9.0.0/16","NETWORK":"10.3.0.0/16"}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":26,"SubnetLen":null,"EnableIPv4":null}""", "10.3.0.0/16 26 10.3.0.64 10.3.255.192")]
    [InlineData("""{"Network":"10.3.0.0/16","Comment":{"x":[1,"2",null]},"":0}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    [InlineData("""{"Network":"10.3.0.0/16","IPv6Network":"fc00::/48"}""", "10.3.0.0/16 24 10.3.1.0 10.3.255.0")]
    // As users wrote them.
    [InlineData("""{"Network":"172.30.0.0/16", "SubnetLen": 21, "Backend": {"Type": "vxlan"}}""", "172.30.0.0/16 21 172.30.8.0 172.30.248.0")]
    [InlineData("""{"Network": "172.17.0.1/16","SubnetMin": "172.17.0.0", "SubnetMax": "172.17.254.0","Backend":{"Type":"vxlan"}}""", "172.17.0.0/16 24 172.17.0.0 172.17.254.0")]
    public void Ipv4_is_completed(string json, string expected)
    {
        NetworkConfig config = Parse(json);
        Assert.Equal(expected, Text(config.Ipv4));
        Assert.Null(config.Ipv6);
    }

    [Theory]
    [InlineData("""{"enableIPv6":true,"ipv6Network":"fc00::/48","enableIPv4":false}""", "fc00::/48 64 fc00:0:0:1:: fc00:0:0:ffff::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":"fc00:0:0:1::","IPv6SubnetMax":"fc00:0:0:f::","IPv6SubnetLen":124,"EnableIPv4":false}""", "fc00::/48 124 fc00:0:0:1:: fc00:0:0:f::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/62","EnableIPv4":false}""", "fc00::/62 64 fc00:0:0:1:: fc00:0:0:3::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/63","EnableIPv4":false}""", "fc00::/63 65 fc00::8000:0:0:0 fc00:0:0:1:8000::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/124","EnableIPv4":false}""", "fc00::/124 126 fc00::4 fc00::c")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::5/48","IPv6SubnetMin":"fc00::","EnableIPv4":false}""", "fc00::/48 64 fc00:: fc00:0:0:ffff::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":null,"IPv6SubnetMax":null,"EnableIPv4":false}""", "fc00::/48 64 fc00:0:0:1:: fc00:0:0:ffff::")]
    [InlineData("""{"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":"::","EnableIPv4":false}""", "fc00::/48 64 fc00:0:0:1:: fc00:0:0:ffff::")]
    public void Ipv6_is_completed(string json, string expected)
    {
        NetworkConfig config = Parse(json);
        Assert.Equal(expected, Text(config.Ipv6));
        Assert.Null(config.Ipv4);
    }

    [Fact]
    public void Both_families_and_every_switch()
    {
        NetworkConfig config = Parse("""
            {"Network":"10.3.0.0/16","EnableIPv6":true,"IPv6Network":"fc00::/48","EnableNFTables":true,"Backend":{"Type":"VXLAN","VNI":7,"Directrouting":true}}
            """);
        Assert.Equal("10.3.0.0/16 24 10.3.1.0 10.3.255.0", Text(config.Ipv4));
        Assert.Equal("fc00::/48 64 fc00:0:0:1:: fc00:0:0:ffff::", Text(config.Ipv6));
        Assert.True(config.EnableNFTables);
        Assert.Equal("vxlan", config.Backend.Type);
        Assert.Equal(7, GoJson.Find(config.Backend.Fields, "vni").GetInt32());
        Assert.True(GoJson.Find(config.Backend.Fields, "DirectRouting").GetBoolean());
        Assert.False(Parse("""{"Network":"10.3.0.0/16"}""").EnableNFTables);
    }

    [Theory]
    [InlineData("", "udp", JsonValueKind.Undefined)]
    [InlineData(""", "Backend": {"Type":"udp","Port":7890}""", "udp", JsonValueKind.Object)]
    [InlineData(""", "backend": {"type":"Host-GW"}""", "host-gw", JsonValueKind.Object)]
    [InlineData(""", "Backend": {"Type":"vxlan","GBP":true}""", "vxlan", JsonValueKind.Object)]
    [InlineData(""", "Backend": {}""", "", JsonValueKind.Object)]
    [InlineData(""", "Backend": {"Type":null}""", "", JsonValueKind.Object)]
    [InlineData(""", "Backend": null""", "", JsonValueKind.Null)]
    [InlineData(""", "Backend": {"Type":"vxlan"}, "Backend": null""", "", JsonValueKind.Null)]
    [InlineData(""", "Backend": {"Type":"udp"}, "BACKEND": {"Type":"vxlan","type":"alloc"}""", "alloc", JsonValueKind.Object)]
    public void The_backend_is_found(string field, string type, JsonValueKind fields)
    {
        BackendConfig backend = Parse($$"""{"Network":"10.3.0.0/16"{{field}}}""").Backend;
        Assert.Equal(type, backend.Type);
        Assert.Equal(fields, backend.Fields.ValueKind);
    }

    [Theory]
    // Stock's own sentences.
    [InlineData("{}", "please define a correct Network parameter in the flannel config")]
    [InlineData("null", "please define a correct Network parameter in the flannel config")]
    [InlineData("""{"Network":"0.0.0.0/0"}""", "please define a correct Network parameter in the flannel config")]
    [InlineData("""{"Network":"10.3.0.0/16","EnableIPv6":true}""", "please define a correct IPv6Network parameter in the flannel config")]
    [InlineData("""{"Network":"10.3.0.0/16","EnableIPv6":true,"IPv6Network":"::/0"}""", "please define a correct IPv6Network parameter in the flannel config")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":31}""", "SubnetLen must be less than /31")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":18446744073709551615}""", "SubnetLen must be less than /31")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":17}""", "network must be able to accommodate at least four subnets")]
    [InlineData("""{"Network":"10.3.0.0/29"}""", "network is too small. Minimum useful network prefix is /28")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":"10.4.0.0"}""", "SubnetMin is not in the range of the Network")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMax":"10.2.255.0"}""", "SubnetMax is not in the range of the Network")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":"10.3.1.128"}""", "SubnetMin is not on a SubnetLen boundary: 10.3.1.128")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMax":"10.3.1.1"}""", "SubnetMax is not on a SubnetLen boundary: 10.3.1.1")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetLen":127}""", "SubnetLen must be less than /127")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetLen":49}""", "network must be able to accommodate at least four subnets")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/125"}""", "IPv6Network is too small. Minimum useful network prefix is /124")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":"fc01::"}""", "IPv6SubnetMin is not in the range of the IPv6Network")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMax":"fc01::"}""", "IPv6SubnetMax is not in the range of the IPv6Network")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMin":"fc00::1"}""", "IPv6SubnetMin is not on a SubnetLen boundary: fc00::1")]
    [InlineData("""{"EnableIPv4":false,"EnableIPv6":true,"IPv6Network":"fc00::/48","IPv6SubnetMax":"fc00::1"}""", "IPv6SubnetMax is not on a SubnetLen boundary: fc00::1")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":"10.3.9.0","SubnetMax":"10.3.8.0"}""", "SubnetMin 10.3.9.0 is behind SubnetMax 10.3.8.0")]
    [InlineData("""{"Network":"10.3.0.0/16","EnableIPv4":false}""", "none defined stack")]
    // Wrong types and texts.
    [InlineData("", "the network config is not valid JSON: line 1, byte 1")]
    [InlineData("""{"Network":"10.3.0.0/16"} x""", "the network config is not valid JSON: line 1, byte 27")]
    [InlineData("{\"Network\":\"10.3.0.0/16\",\n\"SubnetLen\":}", "the network config is not valid JSON: line 2, byte 13")]
    [InlineData("""[]""", "the network config must be a JSON object, not an array")]
    [InlineData("\"x\"", "the network config must be a JSON object, not \"x\"")]
    [InlineData("""{"Network":null}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not null")]
    [InlineData("""{"Network":""}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not \"\"")]
    [InlineData("""{"Network":"10.3.0.0"}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not \"10.3.0.0\"")]
    [InlineData("""{"Network":"10.3.0.0/33"}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not \"10.3.0.0/33\"")]
    [InlineData("""{"Network":"fc00::/48"}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not \"fc00::/48\"")]
    [InlineData("""{"Network":5}""", "Network: expected an IPv4 network such as 10.5.0.0/16, not 5")]
    [InlineData("""{"Network":"10.3.0.0/16","IPv6Network":null}""", "IPv6Network: expected an IPv6 network such as fc00::/48, not null")]
    [InlineData("""{"Network":"10.3.0.0/16","IPv6Network":"10.3.0.0/16"}""", "IPv6Network: expected an IPv6 network such as fc00::/48, not \"10.3.0.0/16\"")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMin":null}""", "SubnetMin: expected an IPv4 address, not null")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetMax":"10.3"}""", "SubnetMax: expected an IPv4 address, not \"10.3\"")]
    [InlineData("""{"Network":"10.3.0.0/16","IPv6SubnetMin":"x"}""", "IPv6SubnetMin: expected an IPv6 address, not \"x\"")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":"24"}""", "SubnetLen: expected a whole number from 0 on, not \"24\"")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":24.0}""", "SubnetLen: expected a whole number from 0 on, not 24.0")]
    [InlineData("""{"Network":"10.3.0.0/16","SubnetLen":-1}""", "SubnetLen: expected a whole number from 0 on, not -1")]
    [InlineData("""{"Network":"10.3.0.0/16","IPv6SubnetLen":[64]}""", "IPv6SubnetLen: expected a whole number from 0 on, not an array")]
    [InlineData("""{"Network":"10.3.0.0/16","EnableIPv6":"true"}""", "EnableIPv6: expected true or false, not \"true\"")]
    [InlineData("""{"Network":"10.3.0.0/16","EnableNFTables":1}""", "EnableNFTables: expected true or false, not 1")]
    [InlineData("""{"Network":"10.3.0.0/16","Backend":"vxlan"}""", "Backend: expected an object, not \"vxlan\"")]
    [InlineData("""{"Network":"10.3.0.0/16","Backend":{"Type":{}}}""", "Type of Backend: expected a string, not an object")]
    public void What_is_wrong_is_said(string json, string message) =>
        Assert.Equal(message, Assert.Throws<NetworkConfigException>(() => Parse(json)).Message);

    [Fact]
    public void Size_depth_and_bytes_that_are_no_text_are_refused()
    {
        Assert.Equal("the network config is longer than 65535 bytes", Assert.Throws<NetworkConfigException>(() => Parse(new string(' ', 65536))).Message);
        string deep = $$"""{"Network":"10.3.0.0/16","x":{{new string('[', 20_000)}}{{new string(']', 20_000)}}}""";
        Assert.StartsWith("the network config is not valid JSON", Assert.Throws<NetworkConfigException>(() => Parse(deep)).Message);
        Assert.Equal("Network: expected an IPv4 network such as 10.5.0.0/16, not a string that is not Unicode",
            Assert.Throws<NetworkConfigException>(() => NetworkConfigParser.Parse([.. "{\"Network\":\""u8, 0xff, .. "\"}"u8])).Message);
    }

    private static NetworkConfig Parse(string json) => NetworkConfigParser.Parse(Encoding.UTF8.GetBytes(json));

    private static string? Text(FamilyConfig? family) =>
        family is null ? null : $"{family.Network} {family.SubnetLength} {family.SubnetMin} {family.SubnetMax}";
}
