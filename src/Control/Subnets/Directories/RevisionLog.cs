using System.Globalization;
using System.Text;

namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// The content of the file <c>revisions</c>: the store's revision and which keys were touched last. What happened to a key is not told, its file
/// does: the log is written first, so a writer that is killed in between leaves a line for a change that never came, which costs
/// readers one look. Immutable.
/// </summary>
/// <param name="StoreId">Random, made with the store: a store that was deleted and made again is another one.</param>
/// <param name="Revision">Of the last change; counts by one.</param>
/// <param name="Oldest">Every change after this revision is among <paramref name="Changes"/>.</param>
/// <param name="Changes">In order.</param>
internal sealed record RevisionLog(string StoreId, long Revision, long Oldest, IReadOnlyList<(long Revision, string Key)> Changes)
{
    /// <summary>Changes that are kept. A reader looks once a second at least, so this is far more than it can miss.</summary>
    internal const int Capacity = 1000;

    /// <summary>Upper bound of the file's size: the longest key and revision on every line.</summary>
    internal const int MaxSize = (Capacity + 8) * (LeaseKey.MaxLength + 24);

    private const string FirstLine = "flannelfast-store 1";

    /// <summary>The log of a directory in which nothing was ever changed.</summary>
    internal static readonly RevisionLog Empty = new("", 0, 0, []);

    /// <summary>The log after a change of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="revision">The change's number, above <see cref="Revision"/>.</param>
    internal RevisionLog Append(string key, long revision)
    {
        int dropped = Math.Max(0, Changes.Count + 1 - Capacity);
        List<(long, string)> changes = new(Changes.Count + 1);
        for (int i = dropped; i < Changes.Count; i++) changes.Add(Changes[i]);
        changes.Add((revision, key));
        string id = StoreId.Length > 0 ? StoreId : Guid.NewGuid().ToString("N");
        return new(id, revision, dropped > 0 ? Changes[dropped - 1].Revision : Oldest, changes);
    }

    /// <exception cref="FormatException">It is no such file.</exception>
    internal static RevisionLog Parse(byte[] content)
    {
        string[] lines = Encoding.ASCII.GetString(content).Split('\n');
        if (lines.Length < 5 || lines[0] != FirstLine || lines[^1].Length > 0) throw new FormatException($"expected the first line \"{FirstLine}\" and a whole last line");
        string id = Field(lines[1], "store");
        long revision = Number(Field(lines[2], "revision")), oldest = Number(Field(lines[3], "oldest"));
        List<(long, string)> changes = new(lines.Length - 5);
        long last = oldest;
        for (int i = 4; i < lines.Length - 1; i++)
        {
            int space = lines[i].IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !LeaseKey.IsValid(lines[i][(space + 1)..])) throw new FormatException($"line {i + 1}: expected a revision and a key");
            long number = Number(lines[i][..space]);
            if (number <= last || number > revision) throw new FormatException($"line {i + 1}: expected a revision between {last} and {revision}");
            changes.Add((last = number, lines[i][(space + 1)..]));
        }
        return new(id, revision, oldest, changes);
    }

    internal byte[] ToBytes()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{FirstLine}\nstore {StoreId}\nrevision {Revision}\noldest {Oldest}\n");
        foreach ((long revision, string key) in Changes) text.Append(CultureInfo.InvariantCulture, $"{revision} {key}\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static string Field(string line, string name) =>
        line.StartsWith(name + " ", StringComparison.Ordinal) ? line[(name.Length + 1)..] : throw new FormatException($"expected \"{name} …\"");

    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : throw new FormatException("expected a revision");
}
