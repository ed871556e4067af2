namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>Something that goes wrong again and again: told when it begins, when it changes, and once in a while after that.</summary>
internal sealed class Complaint(TimeProvider time)
{
    private static readonly TimeSpan s_reminder = TimeSpan.FromMinutes(10);

    private string? _last;
    private long _told;

    /// <summary>What is wrong at the moment; null where nothing is.</summary>
    internal string? Current => _last;

    /// <summary>Takes what is wrong now.</summary>
    /// <returns>True if it shall be told.</returns>
    internal bool IsNews(string reason)
    {
        if (reason == _last && time.GetElapsedTime(_told) < s_reminder) return false;
        (_last, _told) = (reason, time.GetTimestamp());
        return true;
    }

    /// <summary>Nothing is wrong any more.</summary>
    /// <returns>True if something was.</returns>
    internal bool End()
    {
        bool was = _last is not null;
        _last = null;
        return was;
    }
}
