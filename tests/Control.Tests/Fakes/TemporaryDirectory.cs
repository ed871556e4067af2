namespace FlannelFast.Tests.Fakes;

/// <summary>A directory of one test. The name is short: a unix socket's path has at most 107 bytes.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ff");

    public string this[string name] => Path.Combine(_directory.FullName, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
