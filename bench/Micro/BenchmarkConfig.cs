using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace FlannelFast.Bench.Micro;

/// <summary>How the micro-benchmarks run, unless the command line says more.</summary>
internal static class BenchmarkConfig
{
    /// <summary>
    /// In this process: BenchmarkDotNet 0.14 would otherwise generate and build a project of its own, which knows neither
    /// net10.0 nor the artifacts folder. So results are those of the JIT; the shipped, ahead-of-time compiled code is measured as
    /// a whole by run.sh. Reports go beside the binary, below artifacts/.
    /// </summary>
    internal static IConfig Create() =>
        ManualConfig.Create(DefaultConfig.Instance)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "results"));
}
