namespace FlannelFast.Lab.Traffic;

/// <summary>
/// What a wire does to the frames that cross it, in the terms of tc-netem(8). Shares are in parts per million and independent of each other
/// and of what happened before.
/// </summary>
/// <param name="Delay">How long every frame takes, nanoseconds.</param>
/// <param name="LossPpm">Frames that vanish.</param>
/// <param name="ReorderPpm">Frames that skip the delay and so overtake those under way.</param>
/// <param name="DuplicatePpm">Frames that come twice.</param>
internal readonly record struct Impairment(long Delay, int LossPpm, int ReorderPpm, int DuplicatePpm)
{
    private const int Million = 1_000_000;

    /// <summary>Decides about the next frame.</summary>
    internal FrameFate Next(Random random)
    {
        if (random.Next(Million) < LossPpm) return FrameFate.Lost;
        FrameFate fate = random.Next(Million) < DuplicatePpm ? FrameFate.Twice : FrameFate.Delayed;
        return random.Next(Million) < ReorderPpm ? fate | FrameFate.AtOnce : fate;
    }
}
