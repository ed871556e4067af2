using System.Net;
using System.Text;
using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Subnets;

public sealed class LeaseValueTests
{
    // As stock hosts wrote them into etcd, 0.11 to 0.28: read, and by us written, byte for byte.
    [Theory]
    [InlineData("""{"PublicIP":"1.2.3.4","PublicIPv6":null}""")]
    [InlineData("""{"PublicIP":"192.168.64.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}""")]
    [InlineData("""{"PublicIP":"1.2.3.4","PublicIPv6":null,"BackendType":"host-gw"}""")]
    [InlineData("""{"PublicIP":"1.2.3.4","PublicIPv6":"fd00::7","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"},"BackendV6Data":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}""")]
    [InlineData("""{"PublicIP":"0.0.0.0","PublicIPv6":"fd00::7","BackendType":"vxlan","BackendV6Data":{"VNI":1,"VtepMAC":"02:00:00:00:00:01"}}""")]
    [InlineData("""{"PublicIP":"1.2.3.4","PublicIPv6":null,"BackendType":"wireguard","BackendData":{"PublicKey":"Xw1+a/9mZ9T5mDqQ==","Port":51820}}""")]
    [InlineData("""{"PublicIP":"1.2.3.4","PublicIPv6":null,"BackendType":"extension","BackendData":"a \u003cb\u003e \u0026 \"c\" \\ \n \u2028 ü 'x'"}""")]
    public void A_value_is_written_as_stock_writes_it(string text)
    {
        Assert.True(LeaseValue.TryParse(Encoding.UTF8.GetBytes(text), out LeaseAttributes? attributes, out string? error), error);
        Assert.Equal(text, Encoding.UTF8.GetString(LeaseValue.Format(attributes)));
    }

    [Fact]
    public void Attributes_made_here_are_written_as_stock_writes_them()
    {
        var udp = new LeaseAttributes { PublicIP = IPAddress.Parse("1.2.3.4") };
        Assert.Equal("""{"PublicIP":"1.2.3.4","PublicIPv6":null}""", Encoding.UTF8.GetString(LeaseValue.Format(udp)));

        using var data = JsonDocument.Parse("{ \"VNI\" : 1,\n\t\"VtepMAC\" : \"c6:d2:32:6f:8f:44\", \"Text\": \"a b <\\\"\\\\ & \u2029>\" }");
        var vxlan = new LeaseAttributes { PublicIP = null, PublicIPv6 = IPAddress.Parse("fd00::5efe:a00:1"), BackendType = "vxlan", BackendData = data.RootElement };
        Assert.Equal(
            """{"PublicIP":"0.0.0.0","PublicIPv6":"fd00::5efe:a00:1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44","Text":"a b \u003c\"\\ \u0026 \u2029\u003e"}}""",
            Encoding.UTF8.GetString(LeaseValue.Format(vxlan)));
    }

    [Theory]
    [InlineData("""{"PublicIP":"1.2.3.4"}""")]
    [InlineData("""{"publicip":"1.2.3.4","PUBLICIPV6":null}""")]
    [InlineData("""{"PublicIP":"9.9.9.9","PublicIP":"1.2.3.4"}""")]
    [InlineData(""" { "PublicIP" : "1.2.3.4" , "BackendData" : null, "BackendType" : null } """)]
    [InlineData("""{"PublicIP":"1.2.3.4","Region":{"a":[1,2,{}]},"PublicIPv6":"::"}""")]
    [InlineData("""{"Public\u0049P":"1.2.\u0033.4"}""")]
    public void What_stock_reads_is_read(string text)
    {
        Assert.True(LeaseValue.TryParse(Encoding.UTF8.GetBytes(text), out LeaseAttributes? attributes, out _));
        Assert.Equal(new LeaseAttributes { PublicIP = IPAddress.Parse("1.2.3.4") }, attributes);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"PublicIP":"0.0.0.0"}""")]
    [InlineData("""{"BackendType":""}""")]
    public void A_value_without_address_has_none(string text)
    {
        Assert.True(LeaseValue.TryParse(Encoding.UTF8.GetBytes(text), out LeaseAttributes? attributes, out _));
        Assert.Null(attributes.PublicIP);
        Assert.Null(attributes.PublicIPv6);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("hello", "not valid JSON")]
    [InlineData("null", "is null, not an object")]
    [InlineData("7", "is 7, not an object")]
    [InlineData("\"x\"", "is \"x\", not an object")]
    [InlineData("[{\"PublicIP\":\"1.2.3.4\"}]", "is an array, not an object")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\"", "not valid JSON")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\"}x", "not valid JSON")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\"}{}", "not valid JSON")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\",}", "not valid JSON")]
    [InlineData("{\"PublicIP\":null}", "has as PublicIP null")]
    [InlineData("{\"PublicIP\":16909060}", "has as PublicIP 16909060, not an IPv4 address")]
    [InlineData("{\"PublicIP\":\"1.2.3\"}", "has as PublicIP \"1.2.3\", not an IPv4 address")]
    [InlineData("{\"PublicIP\":\"01.2.3.4\"}", "PublicIP")]
    [InlineData("{\"PublicIP\":\"fd00::1\"}", "PublicIP")]
    [InlineData("{\"PublicIP\":\"\\ud800\"}", "has as PublicIP a string that is not Unicode")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\",\"PublicIPv6\":\"1.2.3.4\"}", "has as PublicIPv6 \"1.2.3.4\", not an IPv6 address")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\",\"PublicIPv6\":\"fe80::1%3\"}", "PublicIPv6")]
    [InlineData("{\"PublicIP\":\"1.2.3.4\",\"BackendType\":1}", "has as BackendType 1, not a string")]
    [InlineData("{\"PublicIP\":\"a\\nb\\u001b[2J\"}", "has as PublicIP \"a\\u000ab\\u001b[2J\"")]
    public void A_bad_value_is_refused_with_a_reason_of_one_line(string text, string reason)
    {
        Assert.False(LeaseValue.TryParse(Encoding.UTF8.GetBytes(text), out _, out string? error));
        Assert.Contains(reason, error);
        Assert.DoesNotContain(error, char.IsControl);
    }

    [Fact]
    public void Size_depth_and_bytes_that_are_no_text_are_survived()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"a\":", 30_000)) + "1" + new string('}', 30_000);
        Assert.False(LeaseValue.TryParse(Encoding.UTF8.GetBytes(deep), out _, out _));
        Assert.False(LeaseValue.TryParse(new byte[RegistryEntry.MaxValueSize + 1], out _, out string? error));
        Assert.Equal("is longer than 65536 bytes", error);
        // An unknown field of that kind is nothing, as in Go; as an address it is none.
        Assert.True(LeaseValue.TryParse([.. "{\"PublicIP\":\"1.2.3.4\",\"x"u8, 0xff, 0xfe, .. "\":\""u8, 0x80, .. "\"}"u8], out _, out error), error);
        Assert.False(LeaseValue.TryParse([.. "{\"PublicIP\":\""u8, 0x80, .. "\"}"u8], out _, out _));
    }

    [Fact]
    public void No_bytes_throw()
    {
        var random = new Random(12);
        byte[] good = """{"PublicIP":"1.2.3.4","PublicIPv6":"fd00::7","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}"""u8.ToArray();
        int read = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] value = good[..random.Next(good.Length + 1)];
            if (i % 2 == 0) value = [.. good];
            for (int n = random.Next(4); n > 0 && value.Length > 0; n--) value[random.Next(value.Length)] = (byte)random.Next(256);
            if (LeaseValue.TryParse(value, out LeaseAttributes? attributes, out _))
            {
                read++;
                Assert.True(LeaseValue.TryParse(LeaseValue.Format(attributes), out LeaseAttributes? again, out string? error), error);
                Assert.Equal(attributes, again);
            }
        }
        Assert.InRange(read, 10_000, 90_000);
    }

    [Theory]
    [InlineData("""{"VNI":1,"VtepMAC":"x"}""", """{ "VtepMAC": "x", "VNI": 1 }""", true)]
    [InlineData("""{"VNI":1}""", """{"VNI":2}""", false)]
    [InlineData("""{"VNI":1}""", null, false)]
    [InlineData(null, null, true)]
    public void Attributes_are_equal_by_what_they_say(string? left, string? right, bool equal)
    {
        LeaseAttributes a = Attributes(left), b = Attributes(right);
        Assert.Equal(equal, a == b);
        if (equal) Assert.Equal(a.GetHashCode(), b.GetHashCode());
        Assert.NotEqual(a, a with { PublicIP = IPAddress.Parse("1.2.3.5") });

        static LeaseAttributes Attributes(string? data) =>
            new() { PublicIP = IPAddress.Parse("1.2.3.4"), BackendData = data is null ? default : JsonDocument.Parse(data).RootElement.Clone() };
    }
}
