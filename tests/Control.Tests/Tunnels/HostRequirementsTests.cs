using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class HostRequirementsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("CapEff:\t000001ffffffffff")]
    [InlineData("CapEff:\t0000000000001000")]
    [InlineData("Name:\tflannelfast")] // a /proc that does not tell
    public void A_host_with_the_right_is_accepted(string status) =>
        HostRequirements.Check(_directory.Write("tun", ""), _directory.Write("status", $"Name:\tx\n{status}\n"));

    [Theory]
    [InlineData("0000000000000000")]
    [InlineData("000001ffffffefff")]
    public void Without_CAP_NET_ADMIN_the_remedy_is_named(string effective)
    {
        string status = _directory.Write("status", $"CapPrm:\t000001ffffffffff\nCapEff:\t{effective}\n");
        var e = Assert.Throws<HostRequirementException>(() => HostRequirements.Check(_directory.Write("tun", ""), status));
        Assert.StartsWith("making a network device needs CAP_NET_ADMIN: run as root, or once: sudo setcap cap_net_admin+ep /", e.Message);
    }

    [Fact]
    public void Without_a_TUN_driver_the_remedy_is_named()
    {
        var e = Assert.Throws<HostRequirementException>(() => HostRequirements.Check(_directory["none"], _directory["none"]));
        Assert.Equal($"there is no {_directory["none"]}: load the driver with \"sudo modprobe tun\"; in a container pass the device, for example --device {_directory["none"]}", e.Message);
    }

    [Fact]
    public void A_denial_of_the_kernel_is_explained_and_other_failures_are_not()
    {
        Assert.Contains(": run as root, or once: sudo setcap", HostRequirements.Explain(new ErrnoException(Errno.EPERM, "TUNSETIFF")));
        Assert.EndsWith("(it is mode 0666 on most distributions)", HostRequirements.Explain(new ErrnoException(Errno.EACCES, "cannot open /dev/net/tun")), StringComparison.Ordinal);
        Assert.DoesNotContain("setcap", HostRequirements.Explain(new ErrnoException(Errno.EBUSY, "TUNSETIFF")));
    }
}
