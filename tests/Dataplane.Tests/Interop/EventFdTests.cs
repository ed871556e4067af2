using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Interop;

public sealed unsafe class EventFdTests
{
    [Fact]
    public void It_is_readable_from_the_first_signal_until_all_are_taken_back()
    {
        using var fd = new EventFd();
        Assert.False(IsReadable(fd));
        fd.Signal();
        fd.Signal();
        Assert.True(IsReadable(fd));
        Assert.True(IsReadable(fd));
        fd.Clear();
        Assert.False(IsReadable(fd));
        // Must not wait for a signal.
        fd.Clear();
        fd.Signal();
        Assert.True(IsReadable(fd));
    }

    /// <summary>The counter stops at 2^64 - 2: a signal beyond that neither waits nor gets lost.</summary>
    [Fact]
    public void A_full_one_stays_readable()
    {
        using var fd = new EventFd();
        ulong most = ulong.MaxValue - 1;
        Assert.Equal(sizeof(ulong), Libc.write(fd.Number, &most, sizeof(ulong)));
        fd.Signal();
        Assert.True(IsReadable(fd));
        fd.Clear();
        Assert.False(IsReadable(fd));
    }

    private static bool IsReadable(EventFd fd)
    {
        var poll = new pollfd { fd = fd.Number, events = Libc.POLLIN };
        return SysResult.From(Libc.poll(&poll, 1, 0)).ThrowOnError("poll") == 1;
    }
}
