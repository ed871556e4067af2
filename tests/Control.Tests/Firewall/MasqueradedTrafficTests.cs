using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Firewall;

/// <summary>
/// Packets through a host with the rules: a pod of this host behind it, on the other side the world and a host with another pod. What counts is the source that
/// the far end sees.
/// </summary>
public sealed class MasqueradedTrafficTests : IDisposable
{
    private readonly List<FirewallHost> _hosts = [];

    public static TheoryData<string, bool> Modes => new() { { "legacy", false }, { "nft", false }, { "legacy", true } };

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_far_end_sees_the_right_source(string variant, bool nftables)
    {
        (FirewallHost host, FirewallHost pod, FirewallHost world, FirewallHost peer) = Build(variant);
        using NetlinkClient netlink = host.Within(() => new NetlinkClient());
        if (!nftables) host.Shell("iptables -P FORWARD DROP; ip6tables -P FORWARD DROP");
        FirewallSettings settings = Rules.Settings(Rules.Config(nftables, ipv6: "fc00::/48"), "10.5.72.0/24", new() { Masquerade = true });
        using LogRecorder log = new(LogLevel.Trace);
        using FirewallKeeper keeper = settings.CreateKeeper(netlink.Routes, host, TimeProvider.System, log);

        // Before: pods are seen as themselves, or not at all.
        Assert.Equal(nftables ? "10.5.72.2" : null, await SourceSeen(pod, "10.5.72.2", world, "192.0.2.2"));
        Assert.True(await keeper.EnsureAsync(TestContext.Current.CancellationToken), keeper.Status.LastError);

        Assert.Equal("192.0.2.1", await SourceSeen(pod, "10.5.72.2", world, "192.0.2.2"));
        Assert.Equal("10.5.72.2", await SourceSeen(pod, "10.5.72.2", peer, "10.5.9.2"));
        Assert.Equal("10.5.9.2", await SourceSeen(peer, "10.5.9.2", pod, "10.5.72.2"));
        Assert.Equal("192.0.2.2", await SourceSeen(world, "192.0.2.2", pod, "10.5.72.2"));
        // Through this host, or from its other address, to a pod elsewhere: the answer has to come back here. Stock's nft mode gets this wrong.
        Assert.Equal("198.51.100.1", await SourceSeen(world, "192.0.2.2", peer, "10.5.9.2"));
        Assert.Equal("198.51.100.1", await SourceSeen(host, "192.0.2.1", peer, "10.5.9.2"));
        // Not of pods: none of our business. (From one foreign network to another: forwarded by nobody where the policy is to drop.)
        Assert.Equal(nftables ? "192.0.2.2" : null, await SourceSeen(world, "192.0.2.2", peer, "198.51.100.2"));
        // Marked by kube-proxy: it has masqueraded already, or will.
        Assert.Equal("10.5.72.2", await SourceSeen(pod, "10.5.72.2", world, "192.0.2.2", marked: host));

        Assert.Equal("2001:db8::1", await SourceSeen(pod, "fc00:0:0:1::2", world, "2001:db8::2"));
        Assert.Equal("fc00:0:0:1::2", await SourceSeen(pod, "fc00:0:0:1::2", peer, "fc00:0:0:9::2"));
        Assert.Equal("2001:db8::2", await SourceSeen(world, "2001:db8::2", pod, "fc00:0:0:1::2"));
        Assert.Equal("2001:db8:1::1", await SourceSeen(world, "2001:db8::2", peer, "fc00:0:0:9::2"));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Not_one_packet_leaves_as_it_is_while_the_rules_are_replaced(string variant, bool nftables)
    {
        (FirewallHost host, FirewallHost pod, FirewallHost world, _) = Build(variant);
        IFirewall firewall = nftables ? new NftFirewall(host) : new IptablesFirewall(host, TimeSpan.FromSeconds(1));
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await firewall.EnsureAsync(Rules.Ipv4, isStart: true, cancel);
        using CancellationTokenSource stop = new();
        using UdpClient receiver = world.Socket("192.0.2.2", 7777);
        receiver.Client.ReceiveBufferSize = 4_000_000;
        long sent = 0;
        Task sender = Task.Run(() =>
        {
            // Each packet from a port of its own: the first of a connection is the one that asks the rules.
            while (!stop.IsCancellationRequested)
            {
                using UdpClient socket = pod.Socket("10.5.72.2");
                socket.Send([1], "192.0.2.2", 7777);
                sent++;
            }
        }, cancel);
        long received = 0;
        Task<string?> reader = Task.Run(async () =>
        {
            while (true)
            {
                using CancellationTokenSource quiet = new(TimeSpan.FromSeconds(1));
                try
                {
                    UdpReceiveResult packet = await receiver.ReceiveAsync(quiet.Token);
                    received++;
                    if (packet.RemoteEndPoint.Address.ToString() != "192.0.2.1") return $"packet {received} came from {packet.RemoteEndPoint}";
                }
                catch (OperationCanceledException)
                {
                    return null;
                }
            }
        }, cancel);
        RuleSet[] sets = [Rules.Ipv4, Rules.New("10.5.0.0/16", "10.5.73.0/24")];
        for (int i = 1; i <= 60; i++)
        {
            Assert.NotEmpty(await firewall.EnsureAsync(sets[i % 2], isStart: false, cancel));
            if (reader.IsCompleted) break;
        }
        await stop.CancelAsync();
        await sender;
        Assert.Null(await reader);
        Assert.Equal(sent, received);
        Assert.True(sent > 500, $"{sent} packets");
    }

    public void Dispose()
    {
        foreach (FirewallHost host in _hosts) host.Dispose();
    }

    private (FirewallHost Host, FirewallHost Pod, FirewallHost World, FirewallHost Peer) Build(string variant)
    {
        FirewallHost host = Add(variant), pod = Add(null), world = Add(null), peer = Add(null);
        Join(pod, "10.5.72.2/24", "fc00:0:0:1::2/64", "10.5.72.1/24", "fc00:0:0:1::1/64", "pod0");
        Join(world, "192.0.2.2/24", "2001:db8::2/64", "192.0.2.1/24", "2001:db8::1/64", "eth0");
        Join(peer, "198.51.100.2/24", "2001:db8:1::2/64", "198.51.100.1/24", "2001:db8:1::1/64", "eth1");
        peer.Shell("ip addr add 10.5.9.2/32 dev lo; ip -6 addr add fc00:0:0:9::2/128 dev lo");
        host.Shell("""
            ip route add 10.5.9.0/24 via 198.51.100.2; ip -6 route add fc00:0:0:9::/64 via 2001:db8:1::2
            echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
            """);
        return (host, pod, world, peer);

        FirewallHost Add(string? iptables)
        {
            FirewallHost made = new(iptables);
            _hosts.Add(made);
            made.Shell("echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
            return made;
        }

        void Join(FirewallHost end, string address, string address6, string gateway, string gateway6, string device)
        {
            NetworkNamespace.Shell($"ip -n {host.Name} link add {device} type veth peer name eth0 netns {end.Name}");
            host.Shell($"ip addr add {gateway} dev {device}; ip -6 addr add {gateway6} dev {device} nodad; ip link set {device} up");
            end.Shell($"""
                ip addr add {address} dev eth0; ip -6 addr add {address6} dev eth0 nodad; ip link set eth0 up
                ip route add default via {gateway.Split('/')[0]}; ip -6 route add default via {gateway6.Split('/')[0]}
                """);
        }
    }

    /// <summary>Sends a packet and waits for it at the far end.</summary>
    /// <returns>The source it arrived with; null if it did not.</returns>
    private static async Task<string?> SourceSeen(FirewallHost from, string source, FirewallHost to, string destination, FirewallHost? marked = null)
    {
        if (marked is not null)
            marked.Shell("nft \"add table ip marks; add chain ip marks m { type filter hook prerouting priority -150 ; }; add rule ip marks m meta mark set 0x4000\"");
        try
        {
            using UdpClient receiver = to.Socket(destination), sender = from.Socket(source);
            int port = ((IPEndPoint)receiver.Client.LocalEndPoint!).Port;
            // The first packets may wait for the neighbour to be found.
            for (int attempt = 0; attempt < 3; attempt++)
            {
                await sender.SendAsync(new byte[] { 1 }, new IPEndPoint(IPAddress.Parse(destination), port), TestContext.Current.CancellationToken);
                using CancellationTokenSource limit = new(TimeSpan.FromMilliseconds(400));
                try
                {
                    return (await receiver.ReceiveAsync(limit.Token)).RemoteEndPoint.Address.ToString();
                }
                catch (OperationCanceledException)
                {
                    // Not yet, or never.
                }
            }
            return null;
        }
        finally
        {
            marked?.Shell("nft delete table ip marks");
        }
    }
}
