namespace FlannelFast.Lab.Reports;

/// <summary>The program that measured, which is also the contenders udp and vxlan unless they name another.</summary>
/// <param name="Version">"0.1.0".</param>
/// <param name="Revision">Git revision of the sources; null where the build did not know it.</param>
/// <param name="Path">Where the executable was.</param>
internal sealed record ProgramFacts(string Version, string? Revision, string Path);
