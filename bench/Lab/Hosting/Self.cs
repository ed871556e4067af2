namespace FlannelFast.Lab.Hosting;

/// <summary>The running program.</summary>
internal static class Self
{
    /// <summary>
    /// Path of the executable. The link is followed: in a child of the lab /proc/self would be that child, and a rebuild while
    /// the lab runs moves a new file to the old name.
    /// </summary>
    internal static string Path { get; } = string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/exe");

    /// <summary>Where it was found on disk when it started, for reports.</summary>
    internal static string Location { get; } = File.ResolveLinkTarget("/proc/self/exe", returnFinalTarget: false)?.FullName ?? "unknown";
}
