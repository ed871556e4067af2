namespace FlannelFast.Lab.Traffic;

/// <summary>Bytes of all streams so far, for whoever looks meanwhile.</summary>
internal sealed class LiveCounter
{
    private long _value;

    internal long Value => Interlocked.Read(ref _value);

    internal void Add(long bytes) => Interlocked.Add(ref _value, bytes);
}
