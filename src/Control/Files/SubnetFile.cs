using System.Text;

namespace FlannelFast.Control.Files;

/// <summary>subnet.env, the file by which flanneld tells this host's other programs what it leased. Belongs to one daemon.</summary>
/// <param name="path">-subnet-file.</param>
internal sealed class SubnetFile(string path)
{
    // Ours has some 200 bytes; the limit is there for what lies in its place by mistake.
    private const int MaxSize = 64 * 1024;

    internal string Path { get; } = path;

    /// <summary>Puts new content in the place of the old one, at once and lastingly. Mode 0644, whatever the umask.</summary>
    /// <exception cref="IOException">It could not be written; the old file is as it was. The message names path and reason.</exception>
    internal void Write(SubnetFileContent content) => AtomicFile.Write(Path, Encoding.ASCII.GetBytes(content.Text));

    /// <summary>Reads what an earlier run left, and removes the temporary files of one that was killed while it wrote. For the start, before anything is written.</summary>
    /// <returns><see cref="PreviousSubnets.None"/> where there is no file; what can be used of a damaged one.</returns>
    /// <exception cref="IOException">It is there but cannot be read. The message names path and reason.</exception>
    internal PreviousSubnets Read()
    {
        AtomicFile.RemoveLeftovers(Path);
        return AtomicFile.TryRead(Path, MaxSize) is { } content ? PreviousSubnets.Parse(Encoding.UTF8.GetString(content)) : PreviousSubnets.None;
    }
}
