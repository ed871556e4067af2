using System.Diagnostics;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace FlannelFast.Bench.Micro;

/// <summary>
/// <c>--validate</c>: the set-up of every benchmark class with every combination of its parameters, nothing timed. Seconds instead
/// of minutes, so that tests can prove that the benchmarks still measure what they claim.
/// </summary>
internal static class Validation
{
    /// <summary>Returns the exit code: 0 when every class proved its results, else 1.</summary>
    internal static int Run(Assembly assembly)
    {
        int proven = 0, failed = 0;
        foreach (Type type in assembly.GetTypes())
        {
            if (!HasBenchmarks(type)) continue;
            foreach ((object instance, string name) in Instances(type))
            {
                long start = Stopwatch.GetTimestamp();
                string? error = Prove(instance);
                if (error is null) proven++;
                else failed++;
                Console.WriteLine($"{(error is null ? "valid " : "FAILED")} {name} ({Stopwatch.GetElapsedTime(start).TotalMilliseconds:f0} ms) {error}");
            }
        }
        Console.WriteLine($"{proven} valid, {failed} failed");
        return failed == 0 && proven > 0 ? 0 : 1;
    }

    private static bool HasBenchmarks(Type type) =>
        !type.IsAbstract && type.GetMethods().Any(static m => m.IsDefined(typeof(BenchmarkAttribute)));

    private static string? Prove(object instance)
    {
        if (instance is not IValidated validated) return $"does not implement {nameof(IValidated)}: a benchmark must prove its results";
        if (instance.GetType().GetMethod(nameof(IValidated.Setup))?.IsDefined(typeof(GlobalSetupAttribute)) != true)
            return $"{nameof(IValidated.Setup)} is not marked [GlobalSetup]: timed runs would not be proven";
        try
        {
            validated.Setup();
            return null;
        }
        catch (Exception e)
        {
            return e.Message;
        }
    }

    private static List<(object Instance, string Name)> Instances(Type type)
    {
        List<(PropertyInfo Property, object? Value)[]> combinations = [[]];
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.GetCustomAttribute<ParamsAttribute>() is { } parameters)
                combinations = [.. combinations.SelectMany(c => parameters.Values.Select(v => ((PropertyInfo, object?)[])[.. c, (property, v)]))];
        }
        return combinations.ConvertAll(combination =>
        {
            object instance = Activator.CreateInstance(type)!;
            foreach (var (property, value) in combination) property.SetValue(instance, value);
            return (instance, $"{type.Name}({string.Join(", ", combination.Select(static c => $"{c.Property.Name}: {c.Value}"))})");
        });
    }
}
