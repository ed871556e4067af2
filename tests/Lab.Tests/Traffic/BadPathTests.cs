using System.Buffers.Binary;
using System.Text.Json;
using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed class BadPathTests
{
    [Fact]
    public void Udp_source_reports_exactly_what_the_path_lost_doubled_and_swapped()
    {
        byte[]? held = null;
        IEnumerable<byte[]> Path(byte[] datagram)
        {
            if (Kind(datagram) != ProbeKind.Data) return [datagram];
            switch (Sequence(datagram) % 10)
            {
                case 3: return [];
                case 5: return [datagram, datagram];
                case 7:
                    held = datagram;
                    return [];
                case 8: return held is null ? [datagram] : [datagram, held];
                default: return [datagram];
            }
        }

        using AgentPair pair = new("udp-sink");
        using UdpRelay relay = new(pair.EndPoint, Path);
        (int code, string output, string error) = AgentPair.Agent(["udp-source", "--to", relay.EndPoint.ToString(), "--size", "100", "--rate", "500", "--seconds", "0.6"]);
        Assert.Equal((LabAgent.Success, ""), (code, error));
        JsonElement result = JsonDocument.Parse(output).RootElement;
        long sent = result.GetProperty("sent").GetInt64();
        long tail = sent % 10;
        // Seven held back by eight comes one late; a seven at the very end never comes.
        Assert.Equal((sent / 10) + (tail > 3 ? 1 : 0) + (tail == 8 ? 1 : 0), result.GetProperty("lost").GetInt64());
        Assert.Equal((sent / 10) + (tail > 5 ? 1 : 0), result.GetProperty("duplicate").GetInt64());
        Assert.Equal((sent / 10) + (tail > 8 ? 1 : 0), result.GetProperty("reordered").GetInt64());
        Assert.Equal(1, result.GetProperty("reorder_distance").GetInt64());
        Assert.InRange(sent, 100, 301);
    }

    [Fact]
    public void Hash_source_repeats_what_was_lost_and_finds_it_intact()
    {
        int count = 0;
        JsonElement result = Hash(datagram => ++count % 7 == 0 ? [] : count % 5 == 0 ? [datagram, datagram] : [datagram]);
        Assert.True(result.GetProperty("intact").GetBoolean());
        Assert.InRange(result.GetProperty("repeated").GetInt64(), 10, 1000);
    }

    [Fact]
    public void One_flipped_bit_is_not_intact()
    {
        bool flipped = false;
        JsonElement result = Hash(datagram =>
        {
            if (flipped || Kind(datagram) != ProbeKind.HashData || Sequence(datagram) != 40) return [datagram];
            flipped = true;
            datagram[^1] ^= 0x10;
            return [datagram];
        });
        Assert.False(result.GetProperty("intact").GetBoolean());
        Assert.Equal((1L, 1L), (result.GetProperty("corrupt").GetInt64(), result.GetProperty("repeated").GetInt64()));
    }

    [Fact]
    public void A_byte_too_many_is_not_intact()
    {
        bool grown = false;
        JsonElement result = Hash(datagram =>
        {
            if (grown || Kind(datagram) != ProbeKind.HashData) return [datagram];
            grown = true;
            return [[.. datagram, 0]];
        });
        Assert.False(result.GetProperty("intact").GetBoolean());
    }

    private static JsonElement Hash(Func<byte[], IEnumerable<byte[]>> path)
    {
        using AgentPair pair = new("hash-sink");
        using UdpRelay relay = new(pair.EndPoint, path);
        (int code, string output, string error) = AgentPair.Agent(["hash-source", "--to", relay.EndPoint.ToString(), "--bytes", "200000", "--udp"]);
        Assert.Equal((LabAgent.Success, ""), (code, error));
        return JsonDocument.Parse(output).RootElement;
    }

    private static ProbeKind Kind(byte[] datagram) => (ProbeKind)BinaryPrimitives.ReadUInt32LittleEndian(datagram.AsSpan(4));

    private static ulong Sequence(byte[] datagram) => BinaryPrimitives.ReadUInt64LittleEndian(datagram.AsSpan(16));
}
