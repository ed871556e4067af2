using System.Text.Json;

namespace FlannelFast.Lab.Contenders;

/// <summary>What <c>flannelfast status --json</c> says of the express lane (docs/express-lane.md).</summary>
/// <param name="Open">Whether it is open.</param>
/// <param name="Reason">Why not; null while it is open.</param>
/// <param name="Peers">Peers that packets are sent to; 0 while it is closed.</param>
internal sealed record LaneReading(bool Open, string? Reason, int Peers)
{
    private const string Watched = " is being watched";

    // Before the first look at the host, before the first answers about routes, and between the two halves of a status.
    private static readonly string[] s_passing = ["being prepared", "routes to the peers are being looked up", "just closed"];

    /// <summary>Closed, and not on the way to being open.</summary>
    internal bool StaysClosed => !Open && !s_passing.Contains(Reason);

    /// <summary>Open, or closed for a reason that lasts. That the device is watched stands there until the lane is open again, not only until nobody watches.</summary>
    internal bool IsSettled => Open || (StaysClosed && Reason?.Contains(Watched, StringComparison.Ordinal) != true);

    /// <summary>Reads it.</summary>
    /// <returns>Null if the daemon knows of no express lane: another build.</returns>
    internal static LaneReading? From(JsonElement status)
    {
        if (!status.TryGetProperty("express_lane", out JsonElement lane)) return null;
        bool isOpen = lane.GetProperty("open").GetBoolean();
        return new(
            isOpen, lane.TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : null,
            isOpen && lane.TryGetProperty("peers", out JsonElement peers) ? peers.GetInt32() : 0);
    }
}
