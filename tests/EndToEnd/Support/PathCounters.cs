using System.Text.Json;

namespace FlannelFast.EndToEnd.Support;

/// <summary>One direction of the engine.</summary>
internal sealed record PathCounters(long Packets, long Forwarded, long Dropped, IReadOnlyDictionary<string, long> Drops)
{
    /// <summary>Reads one direction of the status report.</summary>
    public static PathCounters Parse(JsonElement path) => new(
        path.GetProperty("packets").GetInt64(),
        path.GetProperty("forwarded").GetInt64(),
        path.GetProperty("dropped").GetInt64(),
        path.GetProperty("drops").EnumerateObject().ToDictionary(d => d.Name, d => d.Value.GetInt64()));

    /// <summary>Drops for one reason, or for several that count as one; a name the daemon does not know fails the test.</summary>
    public long DropsFor(params string[] reasons) => reasons.Sum(r => Drops[r]);
}
