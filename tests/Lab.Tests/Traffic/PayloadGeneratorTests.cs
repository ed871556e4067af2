using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed class PayloadGeneratorTests
{
    [Fact]
    public void Every_length_is_the_beginning_of_the_longer_ones_and_streams_differ()
    {
        byte[] whole = Fill(7, 3, 256);
        for (int length = 0; length < 256; length++) Assert.Equal(whole[..length], Fill(7, 3, length));
        Assert.NotEqual(whole, Fill(7, 4, 256));
        Assert.NotEqual(whole, Fill(8, 3, 256));
    }

    private static byte[] Fill(ulong seed, ulong stream, int length)
    {
        byte[] bytes = new byte[length];
        PayloadGenerator.Fill(seed, stream, bytes);
        return bytes;
    }
}
