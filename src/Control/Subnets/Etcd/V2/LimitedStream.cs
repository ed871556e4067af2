namespace FlannelFast.Control.Subnets.Etcd.V2;

/// <summary>Reads no more of another stream than it should have, and can wait for its first byte. Owns it.</summary>
internal sealed class LimitedStream(Stream inner, long limit) : Stream
{
    private readonly byte[] _first = new byte[1];
    private long _left = limit;
    private bool _hasFirst;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Waits until there is something to read. To be called before the first read.</summary>
    /// <returns>False at the end of the stream.</returns>
    internal async ValueTask<bool> WaitForFirstAsync(CancellationToken cancel) => _hasFirst = await inner.ReadAsync(_first, cancel).ConfigureAwait(false) > 0;

    /// <exception cref="InvalidDataException">The other stream has more.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_hasFirst && buffer.Length > 0)
        {
            _hasFirst = false;
            buffer.Span[0] = _first[0];
            return 1;
        }
        int read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        _left -= read;
        return _left >= 0 ? read : throw new InvalidDataException("more than what any answer of etcd has");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
