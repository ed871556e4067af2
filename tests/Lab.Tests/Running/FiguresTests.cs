using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Traffic;
using FlannelFast.Lab.Workloads;

namespace FlannelFast.Lab.Tests.Running;

public sealed class FiguresTests
{
    [Fact]
    public void Shares_are_of_what_arrived_also_of_few_datagrams()
    {
        var values = new Dictionary<string, double>();
        values.AddDelivery(
            new UdpSourceResult { Role = "udp-source", Sent = 500, Delivered = 400, Lost = 100, Reordered = 40, Duplicate = 8 },
            new UdpSourceResult { Role = "udp-source", Sent = 500, Delivered = 400, Lost = 100, Reordered = 0, Duplicate = 0 });
        Assert.Equal((20.0, 50_000.0, 10_000.0), (values[MeasureInfo.Loss], values[MeasureInfo.Reordered], values[MeasureInfo.Duplicated]));
    }

    [Fact]
    public void Nothing_that_arrived_is_no_division_by_zero()
    {
        var values = new Dictionary<string, double>();
        values.AddDelivery(new UdpSourceResult { Role = "udp-source" });
        values.AddTcp(new TcpResult { Role = "tcp-source", Forward = new(0, 0, 0, 0, 0) });
        Assert.All(values.Values, v => Assert.Equal(0, v));
    }
}
