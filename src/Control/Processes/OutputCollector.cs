using System.Text;

namespace FlannelFast.Control.Processes;

/// <summary>Keeps what a program writes, up to a limit, and forgets the rest.</summary>
/// <param name="limit">Bytes kept of each stream and of both together.</param>
/// <param name="keepLine">Which lines of standard output are kept; all where null.</param>
internal sealed class OutputCollector(int limit, Func<ReadOnlySpan<byte>, bool>? keepLine)
{
    private readonly Lock _lock = new();
    private readonly List<byte> _output = [], _error = [], _combined = [], _line = [];
    private bool _isTruncated;

    internal void TakeOutput(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (keepLine is null) Keep(_output, bytes);
            else TakeLines(bytes, keepLine);
        }
    }

    internal void TakeError(ReadOnlySpan<byte> bytes)
    {
        lock (_lock) Keep(_error, bytes);
    }

    internal ProgramResult Finish(int exitCode)
    {
        lock (_lock)
        {
            if (_line.Count > 0 && keepLine is not null) TakeLines("\n"u8, keepLine);
            return new(exitCode, Text(_output), Text(_error), Text(_combined), _isTruncated);
        }
    }

    private void TakeLines(ReadOnlySpan<byte> bytes, Func<ReadOnlySpan<byte>, bool> keep)
    {
        while (bytes.IndexOf((byte)'\n') is var end and >= 0)
        {
            Append(_line, bytes[..end]);
            Span<byte> line = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_line);
            if (keep(line))
            {
                _line.Add((byte)'\n');
                Keep(_output, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_line));
            }
            _line.Clear();
            bytes = bytes[(end + 1)..];
        }
        Append(_line, bytes);
    }

    private void Keep(List<byte> stream, ReadOnlySpan<byte> bytes)
    {
        Append(stream, bytes);
        Append(_combined, bytes);
    }

    private void Append(List<byte> buffer, ReadOnlySpan<byte> bytes)
    {
        int room = limit - buffer.Count;
        if (bytes.Length > room)
        {
            _isTruncated = true;
            bytes = bytes[..Math.Max(room, 0)];
        }
        buffer.AddRange(bytes);
    }

    private static string Text(List<byte> bytes) => Encoding.UTF8.GetString([.. bytes]);
}
