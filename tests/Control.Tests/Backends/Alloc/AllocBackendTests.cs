using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Alloc;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Alloc;

public sealed class AllocBackendTests
{
    [Fact]
    public void It_publishes_the_address_alone_and_takes_the_interfaces_mtu()
    {
        using IBackend backend = AllocBackend.Prepare(Sample.Context(Sample.Network("""{"Type":"alloc"}"""), Sample.External(1, mtu: 9000)));
        Assert.Equal(new("", default, default), backend.Announcement);
        backend.Start(Sample.Lease(1));
        Assert.Equal(ApplyResult.Nothing, backend.Apply([Sample.Lease(1), Sample.Lease(2)]));
        Assert.Equal(9000, backend.Mtu);
        int announced = 0;
        backend.AnnouncementChanged += () => announced++;
        backend.Follow(Sample.External(2, mtu: 9000));
        backend.Follow(Sample.External(2, mtu: 1500));
        Assert.Equal((1500, 1, false), (backend.Mtu, announced, backend.Completion.IsCompleted));
    }
}
