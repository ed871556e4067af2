using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Vxlan;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

public sealed class VxlanBackendSelectionTests
{
    [Theory]
    [InlineData(nameof(VxlanDataplane.Auto), true, nameof(KernelVxlanBackend), "kernel device")]
    [InlineData(nameof(VxlanDataplane.Auto), false, nameof(EngineVxlanBackend), "packet engine, because the kernel has no vxlan")]
    [InlineData(nameof(VxlanDataplane.Kernel), true, nameof(KernelVxlanBackend), "kernel device, because of -dataplane=kernel")]
    [InlineData(nameof(VxlanDataplane.Userspace), true, nameof(EngineVxlanBackend), "packet engine, because of -dataplane=userspace")]
    public void The_kernels_device_where_it_can_be_made(string dataplane, bool available, string backend, string dataPath)
    {
        BackendChoice choice = VxlanBackendSelection.Choose(Enum.Parse<VxlanDataplane>(dataplane), Kernel(available));
        Assert.Equal((backend, dataPath), (choice.Prepare.Method.DeclaringType!.Name, choice.DataPath));
    }

    [Fact]
    public void What_is_demanded_and_cannot_be_is_refused()
    {
        var refused = Assert.Throws<IOException>(() => VxlanBackendSelection.Choose(VxlanDataplane.Kernel, Kernel(available: false)));
        Assert.Equal("-dataplane=kernel, but the kernel has no vxlan", refused.Message);
    }

    [Fact]
    public void The_kernel_is_not_asked_where_the_answer_does_not_matter() =>
        VxlanBackendSelection.Choose(VxlanDataplane.Userspace, (out string? _) => throw new InvalidOperationException("asked"));

    private static VxlanBackendSelection.KernelProbe Kernel(bool available) => (out string? refusal) =>
    {
        refusal = available ? null : "the kernel has no vxlan";
        return available;
    };
}
