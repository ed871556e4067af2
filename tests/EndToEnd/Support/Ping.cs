using System.Globalization;
using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support;

/// <summary>ping(8).</summary>
internal static partial class Ping
{
    /// <summary>Sends echo requests and returns how many were answered.</summary>
    public static int Answers(Netns from, string address, int count, params string[] more)
    {
        CommandResult ping = from.Try("ping", ["-q", "-c", $"{count}", "-i", "0.01", "-W", "1", .. more, address]);
        Match received = Received().Match(ping.Output);
        return received.Success
            ? int.Parse(received.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException(ping.ToString());
    }

    /// <summary>Demands that every request is answered.</summary>
    public static void MustAnswer(Netns from, string address, int count = 10, params string[] more) =>
        Assert.Equal(count, Answers(from, address, count, more));

    /// <summary>Demands that an answer comes within the limit.</summary>
    public static void MustAnswerWithin(TimeSpan limit, Netns from, string address) =>
        Eventually.True(() => from.Try("ping", "-q", "-c", "1", "-W", "0.2", address).ExitCode == 0, limit, () => $"{address} does not answer");

    [GeneratedRegex(@"(\d+) received")]
    private static partial Regex Received();
}
