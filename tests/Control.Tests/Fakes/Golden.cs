namespace FlannelFast.Tests.Fakes;

/// <summary>Compares text with a committed file; UPDATE_GOLDEN=1 writes the file instead.</summary>
internal static class Golden
{
    /// <param name="project">Folder under tests/.</param>
    /// <param name="name">File name without ".golden".</param>
    /// <param name="actual">The text.</param>
    public static void Check(string project, string name, string actual)
    {
        string path = SourceTree.PathOf("tests", project, "Golden", name + ".golden");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
