using System.Text;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Subnets.Directories;

namespace FlannelFast.Control.Tests.Subnets.Directories;

public sealed class LeaseFileTests
{
    private static readonly LeaseFile s_lease = new(
        3, 7,
        new(TimeSpan.FromDays(1), "3b0e/time:[4026531834]", TimeSpan.FromSeconds(98765.4321), new(2026, 10, 5, 12, 0, 0, TimeSpan.Zero)),
        Encoding.UTF8.GetBytes("{\"PublicIP\":\"192.0.2.1\",\"PublicIPv6\":null}"));

    private const string Text =
        "flannelfast-lease 1\ncreate-revision 3\nmod-revision 7\nttl 86400\nexpires 2026-10-05T12:00:00.0000000Z\n"
        + "deadline 98765.4321\nclock 3b0e/time:[4026531834]\n\n{\"PublicIP\":\"192.0.2.1\",\"PublicIPv6\":null}";

    [Fact]
    public void A_lease_is_text_with_the_value_at_its_end() => Assert.Equal(Text, Encoding.UTF8.GetString(s_lease.ToBytes()));

    [Fact]
    public void What_was_written_is_read() => AssertSame(s_lease, LeaseFile.Parse(s_lease.ToBytes()));

    [Fact]
    public void A_reservation_has_no_end()
    {
        LeaseFile reservation = s_lease with { Deadline = null };
        Assert.DoesNotContain("ttl", Encoding.UTF8.GetString(reservation.ToBytes()), StringComparison.Ordinal);
        AssertSame(reservation, LeaseFile.Parse(reservation.ToBytes()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(RegistryEntry.MaxValueSize)]
    public void A_value_of_any_bytes_is_kept(int length)
    {
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        AssertSame(s_lease with { Value = value }, LeaseFile.Parse((s_lease with { Value = value }).ToBytes()));
    }

    [Fact]
    public void A_longer_value_is_cut_and_marked()
    {
        LeaseFile read = LeaseFile.Parse((s_lease with { Value = new byte[RegistryEntry.MaxValueSize + 1] }).ToBytes());
        Assert.Equal((RegistryEntry.MaxValueSize, true), (read.Value.Length, read.IsTruncated));
    }

    [Fact]
    public void Every_beginning_of_a_lease_is_a_value_without_head_or_the_lease_with_a_shorter_value()
    {
        byte[] whole = s_lease.ToBytes();
        int head = whole.Length - s_lease.Value.Length;
        for (int length = 0; length < whole.Length; length++)
        {
            LeaseFile read = LeaseFile.Parse(whole[..length]);
            if (length < head) AssertForeign(whole[..length], read);
            else AssertSame(s_lease with { Value = s_lease.Value[..(length - head)] }, read);
        }
    }

    [Theory]
    [InlineData("mod-revision 7", "mod-revision 0")]
    [InlineData("mod-revision 7", "mod-revision -7")]
    [InlineData("mod-revision 7", "mod-revision 99999999999999999999")]
    [InlineData("mod-revision 7", "mod-revision 7\nmod-revision 8")]
    [InlineData("create-revision 3\n", "")]
    [InlineData("ttl 86400", "ttl 0")]
    [InlineData("ttl 86400", "ttl 1e9")]
    [InlineData("ttl 86400", "ttl 79228162514264337593543950335")]
    [InlineData("ttl 86400", "ttl")]
    [InlineData("deadline 98765.4321\n", "")]
    [InlineData("expires 2026", "expires 20260")]
    [InlineData("clock 3b0e/time:[4026531834]\n", "")]
    [InlineData("flannelfast-lease 1", "flannelfast-lease 2")]
    public void A_damaged_head_makes_it_a_foreign_file(string good, string bad)
    {
        string text = Text.Replace(good, bad, StringComparison.Ordinal);
        Assert.NotEqual(Text, text);
        AssertForeign(Encoding.UTF8.GetBytes(text), LeaseFile.Parse(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void A_head_without_end_is_not_searched_for_ever()
    {
        byte[] content = Encoding.ASCII.GetBytes("flannelfast-lease 1\n" + string.Concat(Enumerable.Range(0, 500).Select(i => $"f{i} x\n")) + "\nvalue");
        AssertForeign(content, LeaseFile.Parse(content));
    }

    private static void AssertForeign(byte[] content, LeaseFile read)
    {
        Assert.Equal((0, 0, null), (read.CreateRevision, read.ModRevision, read.Deadline));
        Assert.Equal(content, read.Value.ToArray());
    }

    private static void AssertSame(LeaseFile expected, LeaseFile actual)
    {
        Assert.Equal((expected.CreateRevision, expected.ModRevision, expected.Deadline), (actual.CreateRevision, actual.ModRevision, actual.Deadline));
        Assert.Equal(expected.Value.ToArray(), actual.Value.ToArray());
        Assert.False(actual.IsTruncated);
    }
}
