using FlannelFast.Lab.Running;

namespace FlannelFast.Lab.Tests.Running;

public sealed class KernelDropsTests
{
    // Of one namespace, as Linux 6.18 writes it.
    private const string Text = """
        Ip: Forwarding DefaultTTL InReceives
        Ip: 1 64 12
        Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
        Udp: 100 1 9 200 7 2 1 0 0
        UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors
        UdpLite: 0 0 0 0 99 99 99 0 0
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo: 0 0 0 50 0 0 0 0 0 0 0 51 0 0 0 0
          eth0: 1000 10 0 3 0 0 0 0 2000 20 0 4 0 0 0 0
        overlay2:1000 10 0 5 0 0 0 0 2000 20 0 6 0 0 0 0
        overlay3: 1000 10 0 60 0 0 0 0 2000 20 0 61 0 0 0 0
        """;

    [Fact]
    public void Counts_by_reason_over_all_namespaces_and_one_contender()
    {
        var sums = new Dictionary<string, long>();
        KernelDrops.Add(sums, Text, "overlay2");
        KernelDrops.Add(sums, Text, "overlay2");
        Assert.Equal(
            new Dictionary<string, long>
            {
                ["kernel.udp_receive_buffer"] = 14,
                ["kernel.udp_send_buffer"] = 4,
                ["kernel.udp_checksum"] = 2,
                ["kernel.underlay_rx"] = 6,
                ["kernel.underlay_tx"] = 8,
                ["kernel.overlay_rx"] = 10,
                ["kernel.overlay_tx"] = 12,
            },
            sums);
    }
}
