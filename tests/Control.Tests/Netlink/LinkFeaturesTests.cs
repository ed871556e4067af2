using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class LinkFeaturesTests
{
    /// <summary>ethtool(8) is the witness, and changes what is read.</summary>
    [Fact]
    public void A_feature_is_read_as_ethtool_shows_it() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link link = netlink.Links.Get("va");
        Assert.True(LinkFeatures.IsActive(link, LinkFeatures.UdpTunnelSegmentation));
        Shell("ethtool -K va tx-udp_tnl-segmentation off");
        Assert.False(LinkFeatures.IsActive(link, LinkFeatures.UdpTunnelSegmentation));
        Assert.True(LinkFeatures.IsActive(link, "tx-tcp-segmentation"));
        Shell("ethtool -K va tx-udp_tnl-segmentation on");
        Assert.True(LinkFeatures.IsActive(link, LinkFeatures.UdpTunnelSegmentation));
    });

    /// <summary>All of them, so also those of the second and third block of 32.</summary>
    [Fact]
    public void All_features_are_read_as_ethtool_shows_them() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link link = netlink.Links.Get("va");
        string[] lines = [.. Shell("ethtool -k va").Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("tx-", StringComparison.Ordinal))];
        // Two are ethtool's own, older names.
        string[] kernels = [.. lines.Where(line => line.Split(':')[0] is not ("tx-checksumming" or "tx-vlan-offload"))];
        Assert.True(kernels.Length > 20, $"ethtool shows only {kernels.Length} features");
        foreach (string line in kernels)
        {
            string[] parts = line.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal((parts[0], parts[1] == "on"), (parts[0], LinkFeatures.IsActive(link, parts[0])));
        }
    });

    [Fact]
    public void A_feature_this_kernel_does_not_know_is_not_active() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Assert.False(LinkFeatures.IsActive(netlink.Links.Get("va"), "tx-to-the-moon"));
    });

    [Fact]
    public void A_link_that_is_gone_is_named() => Run(() =>
    {
        ErrnoException gone = Assert.Throws<ErrnoException>(() => LinkFeatures.IsActive(new() { Index = 99, Name = "gone" }, LinkFeatures.UdpTunnelSegmentation));
        Assert.Equal("cannot read the features of gone: No such device (errno 19)", gone.Message);
    });
}
