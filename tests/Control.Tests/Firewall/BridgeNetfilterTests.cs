using FlannelFast.Control.Firewall;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Firewall;

public sealed class BridgeNetfilterTests
{
    [Fact]
    public void Each_missing_switch_of_an_enabled_family_is_a_warning()
    {
        using TemporaryDirectory files = new();
        using LogRecorder log = new(LogLevel.Trace);
        string directory = Path.GetDirectoryName(files["x"])!;
        Assert.False(BridgeNetfilter.Check(log, ipv4: true, ipv6: true, directory));
        Assert.Equal(2, log.Lines.Length);
        Assert.StartsWith($"Warning: {files["bridge-nf-call-iptables"]} is missing: ", log.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"Warning: {files["bridge-nf-call-ip6tables"]} is missing: ", log.Lines[1], StringComparison.Ordinal);
        files.Write("bridge-nf-call-iptables", "0");
        Assert.True(BridgeNetfilter.Check(log, ipv4: true, ipv6: false, directory));
        Assert.Equal(2, log.Lines.Length);
    }
}
