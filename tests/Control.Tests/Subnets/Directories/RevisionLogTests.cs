using System.Text;
using FlannelFast.Control.Subnets.Directories;

namespace FlannelFast.Control.Tests.Subnets.Directories;

public sealed class RevisionLogTests
{
    private const string Text = "flannelfast-store 1\nstore 5f2c\nrevision 9\noldest 3\n4 10.5.1.0-24\n9 10.5.2.0-24&fc00::-64\n";

    [Fact]
    public void What_was_written_is_read()
    {
        RevisionLog log = RevisionLog.Parse(Encoding.ASCII.GetBytes(Text));
        Assert.Equal(("5f2c", 9, 3), (log.StoreId, log.Revision, log.Oldest));
        Assert.Equal([(4, "10.5.1.0-24"), (9, "10.5.2.0-24&fc00::-64")], log.Changes);
        Assert.Equal(Text, Encoding.ASCII.GetString(log.ToBytes()));
    }

    [Fact]
    public void The_first_change_gives_the_store_its_name()
    {
        RevisionLog log = RevisionLog.Empty.Append("a", 1);
        Assert.Equal((1, 0), (log.Revision, log.Oldest));
        Assert.Matches("^[0-9a-f]{32}$", log.StoreId);
        Assert.Equal(log.StoreId, log.Append("b", 2).StoreId);
        Assert.NotEqual(log.StoreId, RevisionLog.Empty.Append("a", 1).StoreId);
    }

    [Fact]
    public void Old_changes_are_forgotten_and_the_log_says_so()
    {
        RevisionLog log = RevisionLog.Empty;
        for (int i = 1; i <= RevisionLog.Capacity; i++) log = log.Append("k", i);
        Assert.Equal((0, RevisionLog.Capacity), (log.Oldest, log.Changes.Count));
        log = log.Append("k", RevisionLog.Capacity + 5);
        Assert.Equal((1, RevisionLog.Capacity), (log.Oldest, log.Changes.Count));
        Assert.Equal(2, log.Changes[0].Revision);
        Assert.Equal(log.Changes, RevisionLog.Parse(log.ToBytes()).Changes);
    }

    [Fact]
    public void The_longest_log_can_be_read()
    {
        string key = new('k', LeaseKey.MaxLength);
        RevisionLog log = RevisionLog.Empty;
        for (int i = RevisionLog.Capacity; i > 0; i--) log = log.Append(key, long.MaxValue - i);
        Assert.InRange(log.ToBytes().Length, 1, RevisionLog.MaxSize);
    }

    [Fact]
    public void Every_beginning_of_a_log_is_refused()
    {
        byte[] whole = Encoding.ASCII.GetBytes(Text);
        for (int length = 0; length < whole.Length; length++)
        {
            // Whole lines are a shorter log; whoever cuts a file there has deleted lines, which no reader can know.
            if (length > 0 && whole[length - 1] == '\n' && Text[..length].Count(c => c == '\n') >= 4) continue;
            Assert.Throws<FormatException>(() => RevisionLog.Parse(whole[..length]));
        }
    }

    [Theory]
    [InlineData("revision 9", "revision x")]
    [InlineData("revision 9", "revision 8")]
    [InlineData("oldest 3", "oldest 4")]
    [InlineData("4 10.5.1.0-24", "10 10.5.1.0-24")]
    [InlineData("4 10.5.1.0-24", "4 ../config")]
    [InlineData("4 10.5.1.0-24", "4 .new")]
    [InlineData("4 10.5.1.0-24", "10.5.1.0-24")]
    [InlineData("flannelfast-store 1", "flannelfast-store 2")]
    [InlineData("store 5f2c", "5f2c")]
    public void A_damaged_log_is_refused(string good, string bad) =>
        Assert.Throws<FormatException>(() => RevisionLog.Parse(Encoding.ASCII.GetBytes(Text.Replace(good, bad, StringComparison.Ordinal))));
}
