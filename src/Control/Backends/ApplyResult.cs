namespace FlannelFast.Control.Backends;

/// <summary>What one <see cref="IBackend.Apply"/> did.</summary>
/// <param name="Changes">One phrase for each thing that was made, changed or removed; empty when all was right.</param>
/// <param name="Failures">One sentence for each lease or entry that could not be set: tried again at the next apply.</param>
internal sealed record ApplyResult(IReadOnlyList<string> Changes, IReadOnlyList<string> Failures)
{
    internal static ApplyResult Nothing { get; } = new([], []);
}
