using FlannelFast.EndToEnd.Support;
using FlannelFast.EndToEnd.Support.Clusters;

namespace FlannelFast.EndToEnd.Flanneld;

/// <summary>-ip-masq, as the far end sees it.</summary>
public sealed class MasqueradeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pods_keep_their_addresses_among_themselves_and_are_hidden_from_the_world(bool nftables)
    {
        using Cluster cluster = Cluster.Create();
        cluster.WriteStoreConfig($$"""{"Network":"10.5.0.0/16","EnableNFTables":{{(nftables ? "true" : "false")}},"Backend":{"Type":"udp"} }""");
        cluster.StartAll($"-store-dir={cluster.StoreDirectory}", "-ip-masq");
        cluster.EverybodyMustReachEverybody();

        Assert.Equal(cluster.One.PodAddress, SourceSeenBy(cluster.Two.Pod, cluster.One.Pod, cluster.Two.PodAddress));
        // The router knows no pod network: it can answer only because the packet bears the host's address.
        Assert.Equal(cluster.One.Address, SourceSeenBy(cluster.Router, cluster.One.Pod, Cluster.RouterAddress));
        // The host itself speaks to pods of others with the address of its overlay device.
        Assert.StartsWith(cluster.One.PodAddress[..cluster.One.PodAddress.LastIndexOf('.')], SourceSeenBy(cluster.Two.Pod, cluster.One.Netns, cluster.Two.PodAddress), StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_that_somebody_removes_are_back_within_the_resync_period()
    {
        using Cluster cluster = Cluster.Create(nodes: 1);
        cluster.WriteStoreConfig("""{"Network":"10.5.0.0/16","Backend":{"Type":"udp"}}""");
        cluster.Start(cluster.One, $"-store-dir={cluster.StoreDirectory}", "-ip-masq", "-iptables-resync=1").WaitUntilReady();
        string[] before = Rules();
        Assert.Contains(before, rule => rule.Contains("-j MASQUERADE", StringComparison.Ordinal));
        cluster.One.Netns.Run("iptables", "-t", "nat", "-F");
        cluster.One.Netns.Run("iptables", "-F", "FORWARD");
        Eventually.True(() => Rules().SequenceEqual(before), TimeSpan.FromSeconds(5), () => string.Join('\n', Rules()));

        string[] Rules() => [.. cluster.One.Netns.Run("iptables-save").Output.Split('\n').Where(line => line.StartsWith("-A", StringComparison.Ordinal))];
    }

    private static string SourceSeenBy(Netns to, Netns from, string address)
    {
        using var receiver = new UdpSocket(to, "0.0.0.0", 7011);
        using var sender = new UdpSocket(from, "0.0.0.0", 7011);
        sender.Send("who am I"u8, address, 7011);
        return receiver.ReceiveFrom();
    }
}
