namespace FlannelFast.Tests;

/// <summary>The files of the repository, found from where the tests were built.</summary>
internal static class SourceTree
{
    // Not from [CallerFilePath]: a reproducible build (CI=true) writes "/_/" for the folder of the sources.
    private static readonly string s_root = FindRoot();

    /// <summary>The path of a file or folder.</summary>
    /// <param name="parts">From the root of the repository.</param>
    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([s_root, .. parts]);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "FlannelFast.sln"))) return folder.FullName;
        }
        throw new DirectoryNotFoundException($"no FlannelFast.sln above {AppContext.BaseDirectory}: run the tests from the source tree");
    }
}
