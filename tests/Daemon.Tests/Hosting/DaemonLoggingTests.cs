using FlannelFast.Daemon.Hosting;

namespace FlannelFast.Daemon.Tests.Hosting;

public sealed class DaemonLoggingTests
{
    [Theory]
    [InlineData("8:4711", "socket:[4711]", true)]
    [InlineData("8:4711", "socket:[4712]", false)]
    [InlineData("8:4711", "/dev/pts/0", false)]
    [InlineData("8:4711", null, false)]
    [InlineData("nonsense", "socket:[4711]", false)]
    [InlineData(null, "socket:[4711]", false)]
    public void The_journal_is_recognised_by_its_inode(string? variable, string? standardError, bool expected) =>
        Assert.Equal(expected, DaemonLogging.IsJournal(variable, standardError));
}
