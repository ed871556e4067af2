using FlannelFast.Daemon.Flanneld.GoFlags;

namespace FlannelFast.Daemon.Tests.Flanneld.GoFlags;

/// <summary>The cases of Go's own atoi_test.go for base 0, as far as flags can have such values.</summary>
public sealed class GoIntegerTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("-0", 0)]
    [InlineData("+1", 1)]
    [InlineData("12345", 12345)]
    [InlineData("-12345", -12345)]
    [InlineData("012345", 5349)]
    [InlineData("0x12345", 0x12345)]
    [InlineData("-0X12345", -0x12345)]
    [InlineData("0b101", 5)]
    [InlineData("0o17", 15)]
    [InlineData("0O17", 15)]
    [InlineData("1_2_3_4_5", 12345)]
    [InlineData("0x_1_2_3_4_5", 0x12345)]
    [InlineData("-0_17", -15)]
    [InlineData("00", 0)]
    [InlineData("0xFf", 255)]
    public void A_number(string text, long value)
    {
        Assert.True(GoInteger.TryParse(text, out long parsed));
        Assert.Equal(value, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("0x")]
    [InlineData("0b2")]
    [InlineData("08")]
    [InlineData("0o8")]
    [InlineData("12345x")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("_12345")]
    [InlineData("1__2345")]
    [InlineData("12345_")]
    [InlineData("0x_")]
    [InlineData("0_x1")]
    [InlineData("1e3")]
    [InlineData("1.0")]
    [InlineData("--1")]
    [InlineData("0x-1")]
    [InlineData("٣")]
    [InlineData("99999999999999999999999999")]
    public void No_number(string text) => Assert.False(GoInteger.TryParse(text, out _));
}
