using System.Text.Json;
using FlannelFast.Lab.Contenders;

namespace FlannelFast.Lab.Tests.Contenders;

public sealed class LaneReadingTests
{
    [Theory]
    [InlineData("""{ "open": true, "reason": null, "interface": "eth0" }""", false, true)]
    [InlineData("""{ "open": true }""", false, true)]
    [InlineData("""{ "open": false, "reason": "being prepared" }""", false, false)]
    [InlineData("""{ "open": false, "reason": "routes to the peers are being looked up" }""", false, false)]
    [InlineData("""{ "open": false, "reason": "just closed" }""", false, false)]
    [InlineData("""{ "open": false, "reason": "overlay1 is being watched (promiscuous, as by tcpdump)" }""", true, false)]
    [InlineData("""{ "open": false, "reason": "the underlay is IPv6" }""", true, true)]
    [InlineData("""{ "open": false, "reason": "cannot attach an eBPF program by tcx (Linux 6.6): Invalid argument" }""", true, true)]
    public void Tells_what_lasts_from_what_passes(string lane, bool staysClosed, bool isSettled)
    {
        LaneReading read = Read($$"""{ "express_lane": {{lane}} }""")!;
        Assert.Equal((staysClosed, isSettled), (read.StaysClosed, read.IsSettled));
    }

    [Theory]
    [InlineData("""{ "open": true, "peers": 3 }""", 3)]
    [InlineData("""{ "open": true }""", 0)]
    [InlineData("""{ "open": false, "reason": "just closed", "peers": 3 }""", 0)]
    public void Peers_are_those_of_an_open_lane(string lane, int peers) => Assert.Equal(peers, Read($$"""{ "express_lane": {{lane}} }""")!.Peers);

    [Fact]
    public void A_build_without_a_lane_has_none_to_read() => Assert.Null(Read("""{ "device": { "mtu": 1472 } }"""));

    private static LaneReading? Read(string status)
    {
        using JsonDocument document = JsonDocument.Parse(status);
        return LaneReading.From(document.RootElement);
    }
}
