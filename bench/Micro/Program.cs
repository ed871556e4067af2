using BenchmarkDotNet.Running;
using FlannelFast.Bench.Micro;

// dotnet run -c Release --project bench/Micro -- --filter '*Lookup*'    times
// dotnet run -c Release --project bench/Micro -- --validate             proves the results of all benchmarks, times nothing
if (args is ["--validate"]) return Validation.Run(typeof(Program).Assembly);
var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, BenchmarkConfig.Create());
// A set-up that throws (a wrong result) leaves reports without measurements: that must not look like success.
return summaries.All(static s => !s.HasCriticalValidationErrors && s.Reports.All(static r => r.Success)) ? 0 : 1;
