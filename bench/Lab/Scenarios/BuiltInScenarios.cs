using System.Reflection;

namespace FlannelFast.Lab.Scenarios;

/// <summary>The scenarios inside the program: the files of bench/Lab/scenarios.</summary>
internal static class BuiltInScenarios
{
    private const string Prefix = "scenarios/", Suffix = ".json";

    /// <summary>Their names, sorted.</summary>
    internal static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(BuiltInScenarios).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal) && n.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Suffix.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>Reads one of them.</summary>
    /// <exception cref="LabException">There is none of that name.</exception>
    internal static Scenario Get(string name)
    {
        using Stream? stream = typeof(BuiltInScenarios).Assembly.GetManifestResourceStream(Prefix + name + Suffix);
        if (stream is null) throw LabException.Input($"no scenario \"{name}\"; there are {string.Join(", ", Names)}, and --scenario FILE");
        using var text = new MemoryStream();
        stream.CopyTo(text);
        return ScenarioReader.Read($"scenario {name}", text.ToArray());
    }

    /// <summary>The text of one of them, for a user who wants to change it.</summary>
    internal static string Text(string name)
    {
        using var reader = new StreamReader(typeof(BuiltInScenarios).Assembly.GetManifestResourceStream(Prefix + name + Suffix)!);
        return reader.ReadToEnd();
    }
}
