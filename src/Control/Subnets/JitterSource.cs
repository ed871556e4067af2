namespace FlannelFast.Control.Subnets;

/// <summary>One generator for several callers: <see cref="Random"/> with a seed may be used by one thread only.</summary>
internal sealed class JitterSource(Random random)
{
    private readonly Lock _lock = new();

    /// <summary>A number from 0 to <paramref name="below"/> − 1.</summary>
    internal int Next(int below)
    {
        lock (_lock) return random.Next(below);
    }

    /// <summary>The span, less a random part of it of at most <paramref name="share"/>.</summary>
    internal TimeSpan Shorten(TimeSpan span, double share)
    {
        lock (_lock) return span * (1 - share * random.NextDouble());
    }
}
