using FlannelFast.Dataplane.Packets;
using FsCheck;
using FsCheck.Fluent;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Properties of the incremental checksum, over inputs that FsCheck makes and shrinks.</summary>
public sealed unsafe class ChecksumUpdateTests
{
    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(20_000).WithReplay(20261121, 1);

    /// <summary>RFC 1624 section 4: the update equals a fresh computation, for every word but those that make all words zero.</summary>
    [Fact]
    public void An_updated_checksum_is_that_of_the_changed_data() =>
        Check.One(s_config, Prop.ForAll((ushort[] words, int place, ushort changed) =>
        {
            if (words.All(word => word == 0)) return true;
            int at = (int)((uint)place % (uint)words.Length);
            ushort before = words[at], checksum = ChecksumOf(words);
            words[at] = changed;
            return words.All(word => word == 0) || InternetChecksum.Update(checksum, before, changed) == ChecksumOf(words);
        }));

    [Fact]
    public void Changing_a_word_there_and_back_changes_nothing() =>
        Check.One(s_config, Prop.ForAll((ushort checksum, ushort word, ushort other) =>
            checksum is 0 or 0xFFFF || InternetChecksum.Update(InternetChecksum.Update(checksum, word, other), other, word) == checksum));

    private static ushort ChecksumOf(ushort[] words)
    {
        fixed (ushort* data = words) return InternetChecksum.Finish(InternetChecksum.Sum((byte*)data, (nuint)(words.Length * sizeof(ushort))));
    }
}
