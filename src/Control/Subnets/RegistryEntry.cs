namespace FlannelFast.Control.Subnets;

/// <summary>One key of a registry with its value.</summary>
/// <param name="Key">Relative name: whatever stands there, also names that are no subnets.</param>
/// <param name="Value">Raw bytes, at most <see cref="MaxValueSize"/>; of a longer value only so many, and <paramref name="IsTruncated"/> is set.</param>
/// <param name="TimeToLive">What is left, counted from the answer; null where the key has none.</param>
/// <param name="IsTimeToLiveKnown">False where the store could not say (a failed look-up concerns this field only: the entry counts).</param>
/// <param name="CreateRevision">When it was made.</param>
/// <param name="ModRevision">When it was last written.</param>
/// <param name="IsTruncated">The value was longer.</param>
internal sealed record RegistryEntry(
    string Key, ReadOnlyMemory<byte> Value, TimeSpan? TimeToLive, bool IsTimeToLiveKnown, long CreateRevision, long ModRevision, bool IsTruncated = false)
{
    /// <summary>Far above any lease (some hundred bytes), far below what would hurt.</summary>
    internal const int MaxValueSize = 64 * 1024;
}
