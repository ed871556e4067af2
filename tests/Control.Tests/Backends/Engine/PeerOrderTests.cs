using System.Net;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tests.Backends.Engine;

public sealed class PeerOrderTests
{
    [Fact]
    public void Differences_are_told_by_subnet()
    {
        Peer a = Peer("10.5.2.0/24", 2), b = Peer("10.5.3.0/24", 3), c = Peer("10.5.3.0/25", 4), d = Peer("fd00::/64", 5);
        List<string> changes = [];
        PeerOrder.Compare([a, b, d], [a with { }, b with { VtepMac = new(0x020000000003) }, c], changes);
        Assert.Equal(["10.5.3.0/24 at 192.0.2.3, 02:00:00:00:00:03", "10.5.3.0/25 at 192.0.2.4", "fd00::/64 removed"], changes);
        changes.Clear();
        PeerOrder.Compare([a, b, d], [a, b, d with { }], changes);
        Assert.Empty(changes);
    }

    /// <summary>Against the slow twin: what is in one list and not in the other.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Random_lists_are_compared_as_sets(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 200; round++)
        {
            List<Peer> before = RandomPeers(random), now = RandomPeers(random);
            PeerOrder.Sort(before);
            PeerOrder.Sort(now);
            List<string> changes = [];
            PeerOrder.Compare(before, now, changes);
            HashSet<IPNetwork> left = [.. now.Select(peer => peer.Subnet)];
            IEnumerable<string> gone = before.Where(peer => !left.Contains(peer.Subnet)).Select(peer => $"{peer.Subnet} removed");
            IEnumerable<string> fresh = now.Except(before).Select(peer => $"{peer.Subnet} at {peer.PublicIP}");
            Assert.Equal(gone.Concat(fresh).Order(StringComparer.Ordinal), changes.Order(StringComparer.Ordinal));
        }
    }

    private static List<Peer> RandomPeers(Random random)
    {
        var peers = new Dictionary<IPNetwork, Peer>();
        for (int i = random.Next(12); i > 0; i--)
        {
            string subnet = random.Next(4) == 0 ? $"fd00:{random.Next(3)}::/{random.Next(2) * 16 + 48}" : $"10.5.{random.Next(4) * 4}.0/{22 + random.Next(3)}";
            peers[IPNetwork.Parse(subnet)] = Peer(subnet, random.Next(1, 3));
        }
        return [.. peers.Values];
    }

    private static Peer Peer(string subnet, int host) => new(IPNetwork.Parse(subnet), IPAddress.Parse($"192.0.2.{host}"));
}
