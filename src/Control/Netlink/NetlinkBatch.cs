namespace FlannelFast.Control.Netlink;

/// <summary>
/// Requests that are sent together: the kernel takes many messages in one datagram and carries them out in their order, each by itself
/// (net/netlink/af_netlink.c, netlink_rcv_skb). One that is refused does not keep the next from being tried. Used by one thread.
/// </summary>
internal sealed class NetlinkBatch
{
    private readonly List<Entry> _entries = [];
    private byte[] _bytes = new byte[4096];
    private int _length;

    /// <summary>How many requests there are.</summary>
    internal int Count => _entries.Count;

    /// <summary>Adds a request.</summary>
    /// <param name="message">Finished; copied. Flags and sequence number are filled in by the socket.</param>
    /// <param name="attempted">What follows "cannot" in an error; called only for one.</param>
    /// <param name="tolerated">Errors that count as success.</param>
    /// <returns>Its place in the batch, from 0.</returns>
    internal int Add(ReadOnlySpan<byte> message, Func<string> attempted, int[]? tolerated = null)
    {
        // The next message must begin aligned; what the builder finishes always is.
        int room = NetlinkAlignment.Up(message.Length);
        if (room > _bytes.Length - _length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + room));
        message.CopyTo(_bytes.AsSpan(_length));
        _entries.Add(new(_length, attempted, tolerated));
        _length += room;
        return _entries.Count - 1;
    }

    /// <summary>Some of the requests as one datagram, to be written to and sent.</summary>
    internal Span<byte> Datagram(int first, int count)
    {
        int end = first + count == Count ? _length : _entries[first + count].Start;
        return _bytes.AsSpan(_entries[first].Start..end);
    }

    /// <summary>One request within the datagram that begins with request <paramref name="first"/>: where it starts.</summary>
    internal int Offset(int first, int index) => _entries[index].Start - _entries[first].Start;

    /// <summary>What the kernel's answer to one request means: null where it was carried out.</summary>
    internal NetlinkException? Judge(int index, NetlinkAcknowledgement end)
    {
        Entry entry = _entries[index];
        return end.Errno == 0 || entry.Tolerated?.Contains(end.Errno) == true ? null : new(end.Errno, entry.Attempted(), end.Sentence);
    }

    private readonly record struct Entry(int Start, Func<string> Attempted, int[]? Tolerated);
}
