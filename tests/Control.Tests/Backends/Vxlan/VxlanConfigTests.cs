using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

public sealed class VxlanConfigTests
{
    [Theory]
    [InlineData("""{"Type": "vxlan"}""")]
    [InlineData("""{"Type": "vxlan", "VNI": null, "Port": 0, "MTU": 0, "GBP": false, "Colour": [1]}""")]
    public void What_is_not_said_is_as_in_stock(string backend)
    {
        VxlanConfig config = Read(backend);
        Assert.Equal(new() { Vni = 1, Port = 8472 }, config);
        Assert.Equal(("flannel.1", "flannel-v6.1"), (config.Device, config.DeviceV6));
    }

    [Theory]
    [InlineData("""{"VNI": 7, "Port": 4789, "MTU": 1400, "GBP": true, "Learning": true, "DirectRouting": true}""")]
    [InlineData("""{"vni": 7, "PORT": 4789, "mtu": 1400, "gbp": true, "learning": true, "Directrouting": true}""")]
    [InlineData("""{"vni": 5, "VNI": 7, "Port": 1, "port": 4789, "MTU": 1400, "GBP": true, "Learning": true, "DirectRouting": false, "directROUTING": true}""")]
    public void Names_have_any_case_and_the_last_wins(string backend) =>
        Assert.Equal(new() { Vni = 7, Port = 4789, OuterMtu = 1400, Gbp = true, Learning = true, DirectRouting = true }, Read(backend));

    [Theory]
    [InlineData("""{"VNI": "1"}""", "VNI of the vxlan backend: expected a whole number from 0 to 16777215, not \"1\"")]
    [InlineData("""{"VNI": 1.5}""", "VNI of the vxlan backend: expected a whole number from 0 to 16777215, not 1.5")]
    [InlineData("""{"VNI": 1e0}""", "VNI of the vxlan backend: expected a whole number from 0 to 16777215, not 1e0")]
    [InlineData("""{"VNI": 16777216}""", "VNI of the vxlan backend: expected a whole number from 0 to 16777215, not 16777216")]
    [InlineData("""{"VNI": "x", "VNI": 1}""", "VNI of the vxlan backend: expected a whole number from 0 to 16777215, not \"x\"")]
    [InlineData("""{"Port": -1}""", "Port of the vxlan backend: expected a whole number from 0 to 65535, not -1")]
    [InlineData("""{"Port": 65536}""", "Port of the vxlan backend: expected a whole number from 0 to 65535, not 65536")]
    [InlineData("""{"MTU": 117}""", "MTU of the vxlan backend: expected 118 to 65535, or 0 for the interface's, not 117")]
    [InlineData("""{"GBP": 1}""", "GBP of the vxlan backend: expected true or false, not 1")]
    [InlineData("""{"DirectRouting": "true"}""", "DirectRouting of the vxlan backend: expected true or false, not \"true\"")]
    [InlineData("""{"VNI": 10000000}""", "VNI of the vxlan backend: expected one short enough for the name of its device, flannel.10000000, to have at most 15 characters, not 10000000")]
    public void What_cannot_be_is_refused_in_one_sentence(string backend, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<NetworkConfigException>(() => Read(backend)).Message);

    [Fact]
    public void With_IPv6_the_name_is_longer_and_the_packets_must_be_larger()
    {
        Assert.Equal(9999, Read("""{"VNI": 9999, "MTU": 1350}""", ipv6: true).Vni);
        Assert.Contains("flannel-v6.10000", Assert.Throws<NetworkConfigException>(() => Read("""{"VNI": 10000}""", ipv6: true)).Message, StringComparison.Ordinal);
        Assert.Contains("1350", Assert.Throws<NetworkConfigException>(() => Read("""{"MTU": 1349}""", ipv6: true)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1500, 1450, 1430)]
    [InlineData(0, 9000, 8950, 8930)]
    [InlineData(1400, 1500, 1350, 1330)]
    [InlineData(9000, 1500, 1450, 1430)]
    [InlineData(0, 65536, 65485, 65465)]
    public void The_mtu_leaves_room_for_the_headers(int configured, int underlay, int mtu, int mtuV6)
    {
        VxlanConfig config = new() { Vni = 1, Port = 8472, OuterMtu = configured };
        Assert.Equal(mtu, config.MtuOver(AddressFamily.InterNetwork, underlay));
        Assert.Equal(mtuV6, config.MtuOver(AddressFamily.InterNetworkV6, underlay));
        Assert.Equal(mtu, config.PodMtu(Network("{}"), underlay));
        Assert.Equal(mtuV6, config.PodMtu(Network("{}", ipv6: true), underlay));
    }

    private static VxlanConfig Read(string backend, bool ipv6 = false) => VxlanConfig.Read(Network(backend, ipv6));

    private static NetworkConfig Network(string backend, bool ipv6 = false)
    {
        using JsonDocument document = JsonDocument.Parse(backend);
        return new()
        {
            Ipv4 = new(IPNetwork.Parse("10.5.0.0/16"), 24, IPAddress.Parse("10.5.1.0"), IPAddress.Parse("10.5.255.0")),
            Ipv6 = ipv6 ? new(IPNetwork.Parse("fd05::/48"), 64, IPAddress.Parse("fd05:0:0:1::"), IPAddress.Parse("fd05:0:0:ffff::")) : null,
            EnableNFTables = false,
            Backend = new("vxlan", document.RootElement.Clone()),
        };
    }
}
