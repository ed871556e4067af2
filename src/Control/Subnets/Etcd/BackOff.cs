namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>How long to leave alone what failed several times running.</summary>
internal static class BackOff
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    /// <summary>Doubles from 100 ms to 5 s, of which a random half to all is taken, so that a cluster's hosts do not come back in step.</summary>
    /// <param name="failures">1 or more.</param>
    /// <param name="random">Not used by anybody else meanwhile.</param>
    internal static TimeSpan After(int failures, Random random)
    {
        TimeSpan full = failures > 6 ? s_longest : s_first * (1 << (failures - 1));
        return (full < s_longest ? full : s_longest) * (0.5 + random.NextDouble() / 2);
    }
}
