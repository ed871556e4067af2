using System.Security.Cryptography;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class LaneHelloTests
{
    [Theory]
    [InlineData(false, false, 0, 1, "46464C31" + "00000000" + "0000000000000000" + "0000000000000001")]
    [InlineData(true, false, 2, 3, "46464C31" + "00000001" + "0000000000000002" + "0000000000000003")]
    [InlineData(false, true, 2, 3, "46464C31" + "00000002" + "0000000000000002" + "0000000000000003")]
    [InlineData(true, true, ulong.MaxValue, 0x0102030405060708, "46464C31" + "00000003" + "FFFFFFFFFFFFFFFF" + "0102030405060708")]
    public void It_has_this_form(bool isOpen, bool wantsAnswer, ulong yours, ulong mine, string expected)
    {
        var hello = new LaneHello(isOpen, wantsAnswer, yours, mine);
        byte[] datagram = new byte[LaneHello.Size];
        hello.Write(datagram);
        Assert.Equal(expected, Convert.ToHexString(datagram));
        Assert.True(LaneHello.TryRead(datagram, out LaneHello read));
        Assert.Equal(hello, read);
        Assert.True(LaneHello.TryRead([.. datagram, 1, 2, 3], out read));
        Assert.Equal(hello, read);
    }

    [Fact]
    public void Other_datagrams_are_none()
    {
        byte[] datagram = new byte[LaneHello.Size];
        new LaneHello(true, true, 1, 2).Write(datagram);
        for (int length = 0; length < datagram.Length; length++) Assert.False(LaneHello.TryRead(datagram.AsSpan(0, length), out _));
        for (int bit = 0; bit < 32; bit++)
        {
            byte[] damaged = [.. datagram];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(LaneHello.TryRead(damaged, out _));
        }
        datagram.AsSpan(16).Clear();
        Assert.False(LaneHello.TryRead(datagram, out _), "nobody's number is 0");
        for (int i = 0; i < 1000; i++) Assert.False(LaneHello.TryRead(RandomNumberGenerator.GetBytes(i % 64), out _));
    }

    /// <summary>Flags of later versions do not make it another one.</summary>
    [Fact]
    public void Unknown_flags_are_left_alone()
    {
        byte[] datagram = new byte[LaneHello.Size];
        new LaneHello(true, false, 1, 2).Write(datagram);
        datagram[4] = 0xFF;
        Assert.True(LaneHello.TryRead(datagram, out LaneHello read));
        Assert.Equal(new(true, false, 1, 2), read);
    }
}
