using System.Globalization;
using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A UDP socket bound to a node's underlay address, as ss(8) sees it.</summary>
/// <param name="Port">Its port.</param>
/// <param name="Waiting">Bytes in its receive queue.</param>
/// <param name="Drops">Datagrams the kernel threw away instead of queueing them.</param>
internal sealed partial record BoundSocket(int Port, long Waiting, long Drops)
{
    /// <summary>All of a node, by port.</summary>
    public static IReadOnlyList<BoundSocket> Of(TwoNodes nodes, int number) =>
    [
        .. nodes.Node(number).Run("ss", "-HuanmO", "src", TwoNodes.UnderlayAddress(number)).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse).OrderBy(socket => socket.Port),
    ];

    /// <summary>Their ports, in order.</summary>
    public static IEnumerable<int> PortsOf(TwoNodes nodes, int number) => Of(nodes, number).Select(socket => socket.Port);

    private static BoundSocket Parse(string line)
    {
        Match found = Line().Match(line);
        Assert.True(found.Success, line);
        return new((int)Number(2), Number(1), Number(3));

        long Number(int group) => long.Parse(found.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    // State, receive queue, send queue, local address, peer, memory.
    [GeneratedRegex(@"^UNCONN +(\d+) +\d+ +[\d.]+(?:%\w+)?:(\d+) .*skmem:\(.*,d(\d+)\)")]
    private static partial Regex Line();
}
