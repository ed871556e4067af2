using System.Text.Json;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

public sealed class VxlanLeaseDataTests
{
    private static readonly MacAddress s_mac = new(0xc6d2326f8f44);

    [Fact]
    public void It_is_written_as_stock_writes_it() =>
        Assert.Equal("""{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}""", new VxlanLeaseData(1, s_mac).ToJson().GetRawText());

    [Theory]
    [InlineData("""{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}""", 1u)]
    [InlineData("""{"VtepMAC":"c6:d2:32:6f:8f:44"}""", null)]
    [InlineData("""{"vni":4294967295,"vtepmac":"C6-D2-32-6F-8F-44","more":{}}""", 4294967295u)]
    [InlineData("""{"VtepMAC":"02:00:00:00:00:01","VNI":3,"VtepMAC":"c6:d2:32:6f:8f:44","VNI":1}""", 1u)]
    public void What_hosts_of_every_version_write_is_read(string json, uint? vni)
    {
        Assert.True(VxlanLeaseData.TryRead(Json(json), out VxlanLeaseData? data, out _));
        Assert.Equal(new(vni, s_mac), data);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"VNI":1}""")]
    [InlineData("""{"VNI":1,"VtepMAC":null}""")]
    [InlineData("""{"VNI":"1","VtepMAC":"c6:d2:32:6f:8f:44"}""")]
    [InlineData("""{"VNI":-1,"VtepMAC":"c6:d2:32:6f:8f:44"}""")]
    [InlineData("""{"VNI":1,"VtepMAC":17}""")]
    [InlineData("""{"VNI":1,"VtepMAC":""}""")]
    [InlineData("""{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f"}""")]
    [InlineData("""{"VNI":1,"VtepMAC":"ff:ff:ff:ff:ff:ff"}""")]
    [InlineData("""{"VNI":1,"VtepMAC":"01:00:5e:00:00:01"}""")]
    [InlineData("""{"VNI":1,"VtepMAC":"00:00:00:00:00:00"}""")]
    [InlineData("""{"VNI":1,"VtepMAC":"\ud800"}""")]
    public void Anything_else_is_refused_with_a_reason(string json)
    {
        Assert.False(VxlanLeaseData.TryRead(Json(json), out _, out string? refusal));
        Assert.StartsWith("BackendData ", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lease_without_data_is_refused() => Assert.False(VxlanLeaseData.TryRead(default, out _, out _));

    private static JsonElement Json(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
