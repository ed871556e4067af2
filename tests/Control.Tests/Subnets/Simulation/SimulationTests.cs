using System.Globalization;

namespace FlannelFast.Control.Tests.Subnets.Simulation;

public sealed class SimulationTests
{
    private static readonly int s_seeds = Environment.GetEnvironmentVariable("FLANNELFAST_LONG") == "1" ? 100_000 : 2000;

    /// <summary>FLANNELFAST_SEED=n runs this seed only; n+m that one and the m - 1 behind it.</summary>
    private static readonly string? s_only = Environment.GetEnvironmentVariable("FLANNELFAST_SEED");

    [Fact]
    public void A_cluster_comes_through_whatever_its_store_does()
    {
        string[] range = s_only?.Split('+') ?? ["0", s_seeds.ToString(CultureInfo.InvariantCulture)];
        int first = int.Parse(range[0], CultureInfo.InvariantCulture), count = range.Length == 1 ? 1 : int.Parse(range[1], CultureInfo.InvariantCulture);
        // Each seed stays on one thread; several run beside each other.
        Parallel.For(first, first + count, (seed, loop) =>
        {
            IReadOnlyList<string> violations = ClusterSimulation.Run(seed);
            if (violations.Count == 0 || loop.IsStopped) return;
            loop.Stop();
            var trace = new List<string>();
            ClusterSimulation.Run(seed, trace);
            Assert.Fail($"FLANNELFAST_SEED={seed} repeats this: {violations[0]}\n{string.Join('\n', trace)}");
        });
    }

    [Fact]
    public void A_seed_repeats_itself()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            List<string> first = [], second = [];
            ClusterSimulation.Run(seed, first);
            ClusterSimulation.Run(seed, second);
            Assert.True(first.Count > 10, $"seed {seed} does too little: {string.Join('\n', first)}");
            Assert.Equal(first, second);
        }
    }
}
