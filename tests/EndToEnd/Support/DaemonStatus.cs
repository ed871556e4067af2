using System.Text.Json;

namespace FlannelFast.EndToEnd.Support;

/// <summary>What <c>flannelfast status --json</c> says, as far as tests ask.</summary>
internal sealed record DaemonStatus(JsonElement Root)
{
    /// <summary>TUN to UDP.</summary>
    public PathCounters Egress => PathCounters.Parse(Root.GetProperty("egress"));

    /// <summary>UDP to TUN.</summary>
    public PathCounters Ingress => PathCounters.Parse(Root.GetProperty("ingress"));

    /// <summary>Managed bytes allocated in the packet loops.</summary>
    public long AllocatedBytes => Root.GetProperty("allocated_bytes").GetInt64();

    /// <summary>Garbage collections of the process.</summary>
    public int Collections => Root.GetProperty("collections").GetInt32();

    /// <summary>The express lane.</summary>
    public JsonElement ExpressLane => Root.GetProperty("express_lane");

    /// <summary>Peers that packets are sent to by the express lane; 0 while it is closed.</summary>
    public int PeersInLane => ExpressLane.TryGetProperty("peers", out JsonElement peers) && peers.ValueKind == JsonValueKind.Number ? peers.GetInt32() : 0;

    /// <summary>Subnets of the peers, in the daemon's order.</summary>
    public string[] PeerSubnets => [.. Root.GetProperty("peers").EnumerateArray().Select(p => p.GetProperty("subnet").GetString()!)];

    /// <summary>Names of the optimisations in use.</summary>
    public string[] CapabilitiesInUse =>
    [
        .. Root.GetProperty("capabilities").EnumerateArray()
            .Where(c => c.GetProperty("in_use").GetBoolean()).Select(c => c.GetProperty("name").GetString()!),
    ];

    /// <summary>Reads the output of the command.</summary>
    public static DaemonStatus Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return new(document.RootElement.Clone());
    }

    /// <summary>Received = forwarded + drops, exactly, in both directions.</summary>
    public void AssertEveryPacketAccountedFor()
    {
        foreach (PathCounters path in (PathCounters[])[Egress, Ingress])
        {
            Assert.Equal(path.Packets, path.Forwarded + path.Drops.Values.Sum());
            Assert.Equal(path.Dropped, path.Drops.Values.Sum());
        }
    }
}
