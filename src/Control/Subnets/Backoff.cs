namespace FlannelFast.Control.Subnets;

/// <summary>
/// Waits between attempts: each twice as long as the one before up to a limit, and each shortened at random by up to a half, so that many hosts do not
/// knock in step. One thread at a time.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, JitterSource random)
{
    private TimeSpan? _last;

    internal void Reset() => _last = null;

    internal TimeSpan Next()
    {
        TimeSpan wait = _last * 2 ?? first;
        _last = wait < longest ? wait : longest;
        return random.Shorten(_last.Value, 0.5);
    }
}
