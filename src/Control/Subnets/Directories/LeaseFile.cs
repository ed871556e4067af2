using System.Globalization;
using System.Text;

namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// The content of <c>subnets/KEY</c>: a head of "name value" lines, an empty line, and the value as any other store would hold it.
/// A file without that head, written by hand or by another program, is all value: a reservation, with revision 0.
/// </summary>
/// <param name="CreateRevision">When the key was made; 0 for a file without head.</param>
/// <param name="ModRevision">When it was last written; 0 for a file without head.</param>
/// <param name="Deadline">Null for a reservation.</param>
/// <param name="Value">At most <see cref="RegistryEntry.MaxValueSize"/> bytes.</param>
/// <param name="IsTruncated">The value was longer.</param>
internal sealed record LeaseFile(long CreateRevision, long ModRevision, LeaseDeadline? Deadline, ReadOnlyMemory<byte> Value, bool IsTruncated = false)
{
    private const int LongestHead = 1024;

    /// <summary>How much of a file is worth reading.</summary>
    internal const int MaxSize = LongestHead + RegistryEntry.MaxValueSize + 1;

    private static ReadOnlySpan<byte> FirstLine => "flannelfast-lease 1\n"u8;

    /// <summary>Never fails: see the class.</summary>
    internal static LeaseFile Parse(byte[] content)
    {
        if (content.AsSpan().StartsWith(FirstLine) && TryParseHead(content) is { } file) return file;
        return WithValue(new(0, 0, null, default), content);
    }

    internal byte[] ToBytes()
    {
        var head = new StringBuilder(Encoding.ASCII.GetString(FirstLine));
        head.Append(CultureInfo.InvariantCulture, $"create-revision {CreateRevision}\nmod-revision {ModRevision}\n");
        if (Deadline is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"ttl {Seconds(Deadline.TimeToLive)}\nexpires {Deadline.WallEnd.UtcDateTime:O}\n");
            head.Append(CultureInfo.InvariantCulture, $"deadline {Seconds(Deadline.MonotonicEnd)}\nclock {Deadline.ClockId}\n");
        }
        head.Append('\n');
        return [.. Encoding.ASCII.GetBytes(head.ToString()), .. Value.Span];
    }

    private static LeaseFile? TryParseHead(byte[] content)
    {
        Dictionary<string, string> fields = [];
        int start = FirstLine.Length;
        while (true)
        {
            int length = content.AsSpan(start, Math.Min(content.Length, LongestHead) - start).IndexOf((byte)'\n');
            if (length < 0) return null;
            if (length == 0) break;
            string line = Encoding.ASCII.GetString(content, start, length);
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !fields.TryAdd(line[..space], line[(space + 1)..])) return null;
            start += length + 1;
            if (start >= Math.Min(content.Length, LongestHead)) return null;
        }
        if (Revision("create-revision") is not { } created || Revision("mod-revision") is not { } modified) return null;
        LeaseDeadline? deadline = null;
        if (fields.TryGetValue("ttl", out string? ttl))
        {
            if (ParseSeconds(ttl) is not { } timeToLive || timeToLive <= TimeSpan.Zero
                || !fields.TryGetValue("deadline", out string? end) || ParseSeconds(end) is not { } monotonicEnd
                || !fields.TryGetValue("expires", out string? expires)
                || !DateTimeOffset.TryParseExact(expires, "O", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset wallEnd)
                || !fields.TryGetValue("clock", out string? clock))
            {
                return null;
            }
            deadline = new(timeToLive, clock, monotonicEnd, wallEnd);
        }
        return WithValue(new(created, modified, deadline, default), content.AsMemory(start + 1));

        long? Revision(string name) =>
            fields.TryGetValue(name, out string? text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long revision) && revision > 0
                ? revision : null;
    }

    private static LeaseFile WithValue(LeaseFile file, ReadOnlyMemory<byte> value) => value.Length <= RegistryEntry.MaxValueSize
        ? file with { Value = value }
        : file with { Value = value[..RegistryEntry.MaxValueSize], IsTruncated = true };

    private static string Seconds(TimeSpan time) =>
        ((decimal)time.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture);

    private static TimeSpan? ParseSeconds(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal seconds)
            && seconds <= 2 * (decimal)StoreClock.LongestTimeToLive.TotalSeconds
            ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;
}
