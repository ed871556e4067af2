using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

public sealed class MacAddressTests
{
    [Theory]
    [InlineData("c6:d2:32:6f:8f:44", "c6:d2:32:6f:8f:44")]
    [InlineData("0E-2A-00-01-02-ff", "0e:2a:00:01:02:ff")]
    public void Text_round_trips(string text, string expected)
    {
        Assert.True(MacAddress.TryParse(text, out MacAddress mac));
        Assert.Equal(expected, mac.ToString());
        byte[] wire = new byte[6];
        mac.Write(wire);
        Assert.Equal(mac, MacAddress.Read(wire));
    }

    [Theory]
    [InlineData("")]
    [InlineData("c6:d2:32:6f:8f")]
    [InlineData("c6:d2:32-6f:8f:44")]
    [InlineData("c6:d2:32:6f:8f:4g")]
    [InlineData("c6:d2:32:6f:8f:44:00")]
    [InlineData("+6:d2:32:6f:8f:44")]
    public void Anything_else_is_refused(string text) => Assert.False(MacAddress.TryParse(text, out _));
}
