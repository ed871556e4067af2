using System.Collections.Concurrent;
using System.Diagnostics;
using FlannelFast.Control.Netlink;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Netlink;

/// <summary>What a link's description says of its headers and of who listens.</summary>
public sealed class LinkKindTests
{
    [Fact]
    public void Headers_are_told_apart() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip tuntap add tt mode tun; ip tuntap add ta mode tap");
        using NetlinkClient netlink = new();
        Assert.True(netlink.Links.Get("va").IsEthernet);
        Assert.True(netlink.Links.Get("ta").IsEthernet);
        Assert.False(netlink.Links.Get("tt").IsEthernet);
        Assert.False(netlink.Links.Get("lo").IsEthernet);
    });

    [Fact]
    public void A_capture_is_seen_and_told_although_it_sets_no_flag() => Run(() =>
    {
        Shell("ip tuntap add tt mode tun; ip link set tt up");
        using NetlinkClient netlink = new();
        using BlockingCollection<NetworkChange> seen = [];
        using NetlinkMonitor monitor = new(seen.Add);
        Assert.Equal(0, netlink.Links.Get("tt").Promiscuity);
        using (Process capture = Process.Start(new ProcessStartInfo("tcpdump", ["-i", "tt", "-w", "/dev/null"]) { RedirectStandardError = true })!)
        {
            try
            {
                Assert.True(Expect(seen, 1), "the capture was not told");
                Assert.Equal(1, netlink.Links.Get("tt").Promiscuity);
            }
            finally
            {
                capture.Kill();
                capture.WaitForExit();
            }
        }
        Assert.True(Expect(seen, 0), "the end of the capture was not told");
        Assert.Equal(0, netlink.Links.Get("tt").Promiscuity);
    });

    private static bool Expect(BlockingCollection<NetworkChange> seen, int promiscuity)
    {
        while (seen.TryTake(out NetworkChange? change, TimeSpan.FromSeconds(10)))
        {
            if (change is LinkChanged { Link: { Name: "tt" } link } && link.Promiscuity == promiscuity) return true;
        }
        return false;
    }
}
