using FlannelFast.Dataplane.Tun;

namespace FlannelFast.Dataplane.Tests.Tun;

public sealed class TunOffloadsTests
{
    [Theory]
    [InlineData("Uso", "Uso", "Uso")]
    [InlineData("Uso", "Tso", "Uso Tso")]
    [InlineData("Uso", "Checksum", "Uso Tso Checksum")]
    [InlineData("Uso", "None", "Uso Tso Checksum")]
    [InlineData("Tso", "Tso", "Tso")]
    [InlineData("None", "None", "")]
    public void The_richest_step_the_kernel_takes_is_used_and_plain_is_the_last(string wanted, string supported, string expectedTries)
    {
        var tries = new List<TunOffloads>();
        TunOffloads found = TunOffloadsExtensions.Richest(Enum.Parse<TunOffloads>(wanted), step =>
        {
            tries.Add(step);
            return step <= Enum.Parse<TunOffloads>(supported);
        });
        Assert.Equal(supported, found.ToString());
        Assert.Equal(expectedTries, string.Join(' ', tries));
    }
}
