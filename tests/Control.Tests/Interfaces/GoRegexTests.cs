using FlannelFast.Control.Interfaces;

namespace FlannelFast.Control.Tests.Interfaces;

public sealed class GoRegexTests
{
    [Theory]
    [InlineData("eth", "eth0", true)]
    [InlineData("^eth", "veth0", false)]
    [InlineData(@"^10\.5\.", "10.5.0.1", true)]
    [InlineData(@"^10\.5\.", "10x5x0", false)]
    [InlineData(@"192\.168\.(1|2)\.\d+$", "192.168.2.77", true)]
    [InlineData("(?i)ETH", "eth0", true)]
    [InlineData("^en[[:alnum:]]+$", "enp0s3", true)]
    [InlineData("^en[[:digit:]]+$", "enp0s3", false)]
    [InlineData("^[^[:digit:]]+$", "lo", true)]
    [InlineData("^[^[:digit:]]+$", "eth0", false)]
    [InlineData("^[[:alpha:]_]+[0-9]$", "my_if0", true)]
    [InlineData("^(?P<kind>eth|ens)[0-9]$", "ens4", true)]
    [InlineData(@"^\Q10.5.\E", "10.5.0.1", true)]
    [InlineData(@"^\Q10.5.\E", "10x5x0.1", false)]
    [InlineData(@"\Qa.b", "a.b", true)]
    [InlineData(@"^[]a]+$", "]a]", true)]
    [InlineData(@"^[^]a]+$", "]", false)]
    [InlineData(@"^\[:x:\]$", "[:x:]", true)]
    [InlineData(@"^eth0\z", "eth0", true)]
    [InlineData("", "eth0", true)]
    public void It_matches_as_go_does(string pattern, string text, bool matches) => Assert.Equal(matches, GoRegex.Compile(pattern).IsMatch(text));

    [Theory]
    [InlineData("eth(")]
    [InlineData("[a")]
    [InlineData("*")]
    [InlineData("(?=eth)")]
    [InlineData("(?<!v)eth")]
    [InlineData(@"(e)\1")]
    [InlineData("[[:nonsense:]]")]
    [InlineData("[[:alpha]")]
    public void What_go_refuses_is_refused(string pattern) => Assert.ThrowsAny<ArgumentException>(() => GoRegex.Compile(pattern));

    /// <summary>Engines that go back take hours for this.</summary>
    [Fact]
    public void Time_grows_with_the_text_only() => Assert.DoesNotMatch(GoRegex.Compile("^(a+)+$"), new string('a', 5000) + "!");
}
