using System.Buffers;
using FlannelFast.Control.Subnets.Etcd.Grpc;
using FlannelFast.Control.Subnets.Etcd.V3.Messages;

namespace FlannelFast.Control.Tests.Subnets.Etcd.Grpc;

/// <summary>Messages against bytes that etcd's own code makes, and against bytes nobody should make.</summary>
public sealed class ProtobufTests
{
    /// <summary>A RangeResponse with two keys: header {cluster 1, member 2, revision 300, term 4}, unknown fields 9 and 200 in between.</summary>
    private static readonly byte[] s_range = Convert.FromHexString(
        "0a09080110" + "0218ac022004" + // header
        "1214" + "0a016b" + "10" + "05" + "18" + "ac02" + "20" + "01" + "2a" + "0176" + "30" + "ffffff7f" + // key k: create 5, mod 300, version 1, value v, lease 2^28-1
        "48" + "05" + "c20c" + "03010203" + // unknown: varint 9, bytes 200
        "1204" + "0a026b32" +
        "1801" + "2002");

    [Fact]
    public void Requests_are_these_bytes()
    {
        (IProtobufMessage Message, string Hex)[] cases =
        [
            (new RangeRequest("k"u8.ToArray()), "0a016b"),
            (new RangeRequest("k"u8.ToArray(), "l"u8.ToArray(), 512, 300, KeysOnly: true), "0a016b12016c18800420ac024001"),
            (new PutRequest("k"u8.ToArray(), "v"u8.ToArray(), 7), "0a016b1201761807"),
            (new LeaseGrantRequest(86400), "0880a305"),
            (new LeaseRevokeRequest(-1), "08ffffffffffffffffff01"),
            (new LeaseTimeToLiveRequest(7), "0807"),
            (new AuthenticateRequest(new("root", "pw")), "0a04726f6f7412027077"),
            (new WatchRequest("k"u8.ToArray(), "l"u8.ToArray(), 9), "0a0a0a016b12016c18094001"),
            // Version 0 is written, as leaving it out would leave out the condition.
            (new TxnRequest(Compare.IsAbsent("k"u8.ToArray()), new PutRequest("k"u8.ToArray(), default)), "0a051a016b2000" + "1205" + "1203" + "0a016b"),
            (new TxnRequest(Compare.HasModRevision("k"u8.ToArray(), 300), new DeleteRangeRequest("k"u8.ToArray()), new RangeRequest("k"u8.ToArray())),
                "0a08" + "1002" + "1a016b" + "30ac02" + "1205" + "1a03" + "0a016b" + "1205" + "0a03" + "0a016b"),
        ];
        foreach ((IProtobufMessage message, string hex) in cases) Assert.Equal(hex, Hex(message));
    }

    [Fact]
    public void A_long_message_within_a_message_has_a_long_length()
    {
        byte[] value = new byte[70_000];
        Random.Shared.NextBytes(value);
        TxnRequest request = new(Compare.IsAbsent([1]), new PutRequest([2], value));
        byte[] frame = GrpcFrame.Encode(request);
        ProtobufReader reader = new(frame.AsSpan(GrpcFrame.HeaderSize));
        Assert.True(reader.NextField());
        reader.Skip();
        Assert.True(reader.NextField());
        ProtobufReader operation = new(reader.ReadBytes());
        Assert.True(operation.NextField());
        ProtobufReader put = new(operation.ReadBytes());
        Assert.True(put.NextField());
        put.Skip();
        Assert.True(put.NextField());
        Assert.True(put.ReadBytes().SequenceEqual(value));
        Assert.False(put.NextField() || operation.NextField() || reader.NextField());
    }

    [Fact]
    public void Answers_are_read_and_unknown_fields_skipped()
    {
        RangeResponse answer = RangeResponse.Parse(s_range);
        Assert.Equal((1UL, 300L, true), (answer.Header.ClusterId, answer.Header.Revision, answer.More));
        Assert.Equal(2, answer.KeyValues.Count);
        KeyValue first = answer.KeyValues[0];
        Assert.Equal(("k", "v", false, 5L, 300L, (1L << 28) - 1), (Text(first.Key), Text(first.Value), first.IsTruncated, first.CreateRevision, first.ModRevision, first.Lease));
        Assert.Equal("k2", Text(answer.KeyValues[1].Key));
        LeaseResponse lease = LeaseResponse.Parse(Convert.FromHexString("0a00" + "1007" + "18ffffffffffffffffff01"));
        Assert.Equal((7L, -1L), (lease.Id, lease.TimeToLive));
        WatchResponse watch = WatchResponse.Parse(Convert.FromHexString("0a00" + "2001" + "2809" + "3202" + "6e6f" + "5a07" + "0801" + "1203" + "0a016b"));
        Assert.Equal((true, 9L, "no"), (watch.Canceled, watch.CompactRevision, watch.CancelReason));
        Assert.True(Assert.Single(watch.Events).IsDelete);
    }

    [Theory]
    [InlineData("00")] // field number 0
    [InlineData("8080808080808080808001")] // a tag of eleven bytes
    [InlineData("18")] // cut after a tag
    [InlineData("1880")] // cut in an integer
    [InlineData("18ffffffffffffffffff02")] // 65 bits
    [InlineData("18ffffffffffffffffffff01")] // eleven bytes
    [InlineData("0a")] // cut before a length
    [InlineData("0a05")] // longer than the message
    [InlineData("0affffffffffffffffff01")] // 2^64-1 bytes
    [InlineData("0affffffff07")] // 2^31-1 bytes
    [InlineData("1a00")] // "more" as bytes
    [InlineData("0801")] // the header as an integer
    [InlineData("0d00000000")] // the header as fixed32
    [InlineData("4900000000")] // an unknown fixed64, cut
    [InlineData("4d0000")] // an unknown fixed32, cut
    [InlineData("4b4c")] // a group
    [InlineData("4e")] // a wire type that does not exist
    [InlineData("4f")]
    public void Malformed_messages_are_refused(string hex) => Assert.Throws<InvalidDataException>(() => RangeResponse.Parse(Convert.FromHexString(hex)));

    [Fact]
    public void Values_beyond_the_limit_are_cut()
    {
        ProtobufWriter writer = new();
        writer.Write(5, new byte[100_000]);
        KeyValue cut = KeyValue.Parse(writer.Written.Span);
        Assert.True(cut.IsTruncated);
        Assert.Equal(64 * 1024, cut.Value.Length);
    }

    [Fact]
    public void A_frame_is_the_same_wherever_it_is_split()
    {
        byte[] frames = [.. FakeHttp2Connection.Frame(s_range), .. FakeHttp2Connection.Frame([0x18, 1])];
        for (int split = 0; split <= frames.Length; split++)
        {
            ReadOnlySequence<byte> buffer = Split(frames, split), partial = new(frames.AsMemory(0, split));
            Assert.Equal(split >= 5 + s_range.Length, GrpcFrame.TryTake(ref partial, out _));
            Assert.True(GrpcFrame.TryTake(ref buffer, out ReadOnlySequence<byte> first));
            Assert.True(GrpcFrame.TryTake(ref buffer, out ReadOnlySequence<byte> second));
            Assert.True(buffer.IsEmpty);
            Assert.Equal(s_range, first.ToArray());
            Assert.Equal([0x18, 1], second.ToArray());
        }
    }

    /// <summary>Whatever the bytes are: an answer or InvalidDataException, and memory in proportion to them.</summary>
    [Theory]
    [InlineData(20261121)]
    public void Mutated_answers_do_no_harm(int seed)
    {
        Random random = new(seed);
        byte[] watch = [0x0a, 0, 0x5a, 11, 8, 0, 0x12, 7, 0x0a, 1, (byte)'k', 0x18, 0xac, 0x02, 0x38, 1];
        int answers = 0;
        GC.Collect();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 200_000; round++)
        {
            byte[] bytes = [.. (round % 2 == 0 ? s_range : watch)];
            for (int i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                _ = round % 2 == 0 ? (object)RangeResponse.Parse(bytes) : WatchResponse.Parse(bytes);
                answers++;
            }
            catch (InvalidDataException)
            {
            }
        }
        Assert.InRange(answers, 1000, 199_000);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 200_000, 0, 4096);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a%20b%25", "a b%")]
    [InlineData("%e2%9c%93", "✓")]
    [InlineData("100%", "100%")]
    [InlineData("%zz%4", "%zz%4")]
    public void Messages_of_a_status_are_decoded(string encoded, string expected) => Assert.Equal(expected, GrpcStatus.Decode(encoded));

    private static string Hex(IProtobufMessage message) => Convert.ToHexStringLower(GrpcFrame.Encode(message)[GrpcFrame.HeaderSize..]);

    private static string Text(byte[] bytes) => System.Text.Encoding.UTF8.GetString(bytes);

    private static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        Segment first = new(bytes.AsMemory(0, at), 0, null), last = new(bytes.AsMemory(at), at, first);
        return new(first, 0, last, bytes.Length - at);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        internal Segment(ReadOnlyMemory<byte> memory, long index, Segment? previous)
        {
            Memory = memory;
            RunningIndex = index;
            if (previous is not null) previous.Next = this;
        }
    }
}
