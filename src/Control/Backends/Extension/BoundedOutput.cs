using System.Buffers;
using System.Text;

namespace FlannelFast.Control.Backends.Extension;

/// <summary>What a program prints on both its streams, in the order it arrives, up to a limit; the rest is read and dropped, so that the program does not wait for us.</summary>
/// <param name="limit">Bytes that are kept.</param>
internal sealed class BoundedOutput(int limit)
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _kept = new();

    /// <summary>More was printed than is kept.</summary>
    internal bool IsCut { get; private set; }

    /// <summary>Reads a stream to its end, or until cancelled.</summary>
    internal async Task ReadAsync(Stream stream, CancellationToken cancel)
    {
        var buffer = new byte[4096];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0)
        {
            lock (_lock)
            {
                int room = limit - _kept.WrittenCount;
                IsCut |= count > room;
                _kept.Write(buffer.AsSpan(0, Math.Min(count, room)));
            }
        }
    }

    /// <summary>What was kept, without white space at either end. What is no UTF-8 is replaced, as Go does it.</summary>
    public override string ToString()
    {
        lock (_lock) return Encoding.UTF8.GetString(_kept.WrittenSpan).Trim();
    }
}
