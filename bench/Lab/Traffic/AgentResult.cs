using System.Text.Json.Serialization;

namespace FlannelFast.Lab.Traffic;

/// <summary>What a role prints at its end: one JSON object. Times in nanoseconds, rates per second.</summary>
internal abstract record AgentResult
{
    /// <summary>Of the fields; a field may be added without a new number.</summary>
    [JsonPropertyOrder(-2)]
    public int Schema { get; init; } = 1;

    /// <summary>Name of the role.</summary>
    [JsonPropertyOrder(-1)]
    public required string Role { get; init; }
}
