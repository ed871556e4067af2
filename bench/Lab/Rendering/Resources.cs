namespace FlannelFast.Lab.Rendering;

/// <summary>Styles and scripts that pages and pictures carry inside.</summary>
internal static class Resources
{
    /// <summary>The text of a file in this folder.</summary>
    internal static string Text(string name)
    {
        using var reader = new StreamReader(typeof(Resources).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
