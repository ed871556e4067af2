using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace FlannelFast.Daemon;

/// <summary>What the build wrote into the program.</summary>
internal static class BuildInfo
{
    private static readonly Assembly s_program = typeof(BuildInfo).Assembly;

    /// <summary>Product version without the revision, "0.1.0".</summary>
    internal static string Version => Informational.Split('+')[0];

    /// <summary>Revision of the sources, or null where the build did not know it.</summary>
    internal static string? Revision => Informational.Split('+') is [_, var revision] ? revision : null;

    /// <summary>".NETCoreApp,Version=v9.0".</summary>
    internal static string Framework => s_program.GetCustomAttribute<TargetFrameworkAttribute>()?.FrameworkName ?? "unknown";

    /// <summary>True in the ahead-of-time compiled program.</summary>
    internal static bool IsNative => !RuntimeFeature.IsDynamicCodeSupported;

    /// <summary>The instruction sets the program was compiled for; it does not start on a processor that lacks one.</summary>
    internal static string InstructionSet =>
        s_program.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(a => a.Key == "InstructionSet")?.Value ?? "";

    private static string Informational =>
        s_program.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
